"""TLS: names are verified although connections go to numbers, and HTTP/2 is spoken where offered."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
from bad_server import BadServer, reply

from credit_signals.crawl import Fetcher, FetchLimits, WarcArchive
from credit_signals.crawl.fetcher import Ask
from credit_signals.domain import Fetch, FetchStatus

x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes the test's certificate")


def make_certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate with its key in one PEM file."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / "server.pem"
    path.write_bytes(pem)
    return path


@dataclass
class Secure:
    """A TLS server for acme.example and what trusts its certificate."""

    server: BadServer
    trust: ssl.SSLContext
    context: ssl.SSLContext


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    """The misbehaving server behind TLS, speaking HTTP/1.1."""
    pem = make_certificate(tmp_path, "acme.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    bad = BadServer()
    listener = await asyncio.start_server(bad.serve, "127.0.0.1", 0, ssl=context)
    bad.port = listener.sockets[0].getsockname()[1]
    yield Secure(bad, ssl.create_default_context(cafile=str(pem)), context)
    listener.close()


async def ask(fetcher: Fetcher, url: str) -> tuple[Fetch, bytes]:
    """Ask for a URL, following redirects."""

    async def follow(_url: str) -> FetchStatus | None:
        return None

    answer = await fetcher.fetch(Ask("c1", url, follow, time.monotonic() + 10))
    return answer.fetch, answer.body


def to(limits: FetchLimits, port: int) -> FetchLimits:
    """The limits with every name leading to a port."""
    return replace(limits, connect_to={"*": f"127.0.0.1:{port}"})


async def test_name_is_verified(secure: Secure, limits: FetchLimits, archive: WarcArchive) -> None:
    """The certificate must carry the name asked for, though the connection goes to an address."""
    secure.server.routes["/"] = reply("<p>safe")
    async with Fetcher(to(limits, secure.server.port), archive, tls=secure.trust) as fetcher:
        good, body = await ask(fetcher, "https://acme.example/")
        assert (good.status, body) == ("ok", b"<p>safe")
        other, _ = await ask(fetcher, "https://other.example/")
        assert other.status is FetchStatus.TLS_ERROR
        assert "certificate" in other.reason


async def test_unknown_issuer(secure: Secure, limits: FetchLimits, archive: WarcArchive) -> None:
    """A certificate that no known authority signed is refused without retries."""
    async with Fetcher(to(limits, secure.server.port), archive) as fetcher:
        fetch, _ = await ask(fetcher, "https://acme.example/")
    assert (fetch.status, fetch.attempts) == ("tls_error", 1)
    assert secure.server.hits == []


async def test_http2(secure: Secure, limits: FetchLimits, archive: WarcArchive) -> None:
    """HTTP/2 is used where the server offers it and archived as such."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        while True:
            writer.write(connection.data_to_send())
            await writer.drain()
            data = await reader.read(65536)
            if not data:
                break
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived) and event.stream_id is not None:
                    connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "text/html")])
                    connection.send_data(event.stream_id, b"<p>two", end_stream=True)
        writer.close()

    secure.context.set_alpn_protocols(["h2"])
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=secure.context)
    port = listener.sockets[0].getsockname()[1]
    async with Fetcher(to(limits, port), archive, tls=secure.trust) as fetcher:
        fetch, body = await ask(fetcher, "https://acme.example/")
    listener.close()
    assert (fetch.status, body) == ("ok", b"<p>two")
    assert fetch.archived_at is not None
    assert archive.read(fetch.archived_at).body == b"<p>two"
