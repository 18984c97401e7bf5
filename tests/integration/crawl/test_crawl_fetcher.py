"""One request against servers that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from bad_server import BadServer, Request, reply

from credit_signals.crawl import Fetcher, FetchLimits, WarcArchive
from credit_signals.crawl.fetcher import Answer, Ask
from credit_signals.domain import FetchStatus

SAMPLES = Path(__file__).parents[4] / "shared/data/scrapy_samples/sample_data/compressed"


async def follow(_url: str) -> FetchStatus | None:
    """Admit every redirect."""
    return None


async def ask(fetcher: Fetcher, path: str, host: str = "acme.example", seconds: float = 20, **more: Any) -> Answer:
    """Ask for a path of a host on the server."""
    return await fetcher.fetch(Ask("c1", f"http://{host}{path}", follow, time.monotonic() + seconds, **more))


async def test_ok(server: BadServer, fetcher: Fetcher) -> None:
    """A good answer is recorded with its validators and archived as it came."""
    server.routes["/"] = reply("<p>hi", ETag='"x"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
    answer = await ask(fetcher, "/")
    fetch = answer.fetch
    assert (fetch.status, fetch.http_status, fetch.content_type, fetch.charset) == ("ok", 200, "text/html", "utf-8")
    assert (fetch.etag, fetch.decoded_bytes, answer.body) == ('"x"', 5, b"<p>hi")
    assert fetch.archived_at is not None
    assert fetcher.archive.read(fetch.archived_at).body == b"<p>hi"
    sent = server.hits[0].headers
    assert sent["host"] == "acme.example"
    assert sent["user-agent"].startswith("credit-signals/")
    assert "@" in sent["user-agent"]
    assert "cookie" not in sent


async def test_cookies_are_not_kept(server: BadServer, fetcher: Fetcher) -> None:
    """A site cannot make the crawler carry state from page to page."""
    server.routes["/"] = reply("x", Set_Cookie="a=b")
    await ask(fetcher, "/")
    await ask(fetcher, "/")
    assert all("cookie" not in hit.headers for hit in server.hits)


@pytest.mark.parametrize("size", [6_000_000, 400_000_000])
async def test_compression_bomb(server: BadServer, fetcher: Fetcher, size: int) -> None:
    """A small body that inflates beyond the limit is refused while it is decoded."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    body = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    server.routes["/"] = reply(body, Content_Encoding="gzip")
    answer = await ask(fetcher, "/")
    assert answer.fetch.status is FetchStatus.TOO_LARGE
    assert answer.body == b""


async def test_endless_body(server: BadServer, fetcher: Fetcher) -> None:
    """A body without end is cut at the limit, not read to memory."""
    sent = 0

    async def pour(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    server.routes["/"] = pour
    answer = await ask(fetcher, "/")
    assert answer.fetch.status is FetchStatus.TOO_LARGE
    await asyncio.sleep(0)
    assert sent < 20_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"\x1f\x8bnot gzip at all"),
        ("gzip", gzip.compress(b"<p>hello" * 1000)[:-20]),
        ("gzip, gzip", gzip.compress(gzip.compress(b"<p>hello"))),
        ("br", b"\x0b\x02\x80hello\x03"),
        ("zip", b"PK"),
    ],
)
async def test_broken_or_unasked_encodings(server: BadServer, fetcher: Fetcher, encoding: str, body: bytes) -> None:
    """Broken, stacked and unknown content encodings are bad content, never a crash."""
    server.routes["/"] = reply(body, Content_Encoding=encoding)
    assert (await ask(fetcher, "/")).fetch.status is FetchStatus.BAD_CONTENT


@pytest.mark.parametrize("pack", [zlib.compress, lambda data: zlib.compress(data)[2:-4]])
async def test_both_deflates(server: BadServer, fetcher: Fetcher, pack: Any) -> None:
    """Deflate is read with and without the zlib header."""
    server.routes["/"] = reply(pack(b"<p>hello" * 20_000), Content_Encoding="deflate")
    assert (await ask(fetcher, "/")).body == b"<p>hello" * 20_000


@pytest.mark.skipif(not SAMPLES.exists(), reason="the real compression samples are not on this machine")
@pytest.mark.parametrize("name", ["bomb-gzip.bin", "bomb-deflate.bin", "bomb-br.bin", "bomb-zstd.bin"])
async def test_real_bombs(server: BadServer, fetcher: Fetcher, name: str) -> None:
    """Bombs from another crawler's test suite end as recorded refusals."""
    encoding = {"gzip": "gzip", "deflate": "deflate"}.get(name.split("-")[1][:-4], name.split("-")[1][:-4])
    server.routes["/"] = reply((SAMPLES / name).read_bytes(), Content_Encoding=encoding)
    assert (await ask(fetcher, "/")).fetch.status in {FetchStatus.TOO_LARGE, FetchStatus.BAD_CONTENT}


async def test_slow_loris(server: BadServer, archive: WarcArchive, limits: FetchLimits) -> None:
    """A server that drips bytes forever meets the total time of a response."""

    async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    server.routes["/"] = drip
    started = time.monotonic()
    async with Fetcher(replace(limits, total_seconds=0.4), archive) as fetcher:
        answer = await ask(fetcher, "/")
    assert answer.fetch.status is FetchStatus.TIMEOUT
    assert time.monotonic() - started < 3


async def test_silence(server: BadServer, archive: WarcArchive, limits: FetchLimits) -> None:
    """A server that accepts and says nothing times out by the read limit."""

    async def sleep(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server.routes["/"] = sleep
    async with Fetcher(replace(limits, read_seconds=0.2), archive) as fetcher:
        assert (await ask(fetcher, "/")).fetch.status is FetchStatus.TIMEOUT


async def test_company_deadline(server: BadServer, fetcher: Fetcher) -> None:
    """A request never outlives the company's time budget."""

    async def sleep(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    server.routes["/"] = sleep
    started = time.monotonic()
    assert (await ask(fetcher, "/", seconds=0.3)).fetch.status is FetchStatus.BUDGET_SPENT
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Type: text/html\r\n\r\nshort", FetchStatus.BAD_CONTENT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", FetchStatus.BAD_CONTENT),
        (b"nonsense\r\n\r\n", FetchStatus.CONNECT_ERROR),
        (b"", FetchStatus.CONNECT_ERROR),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000 + b"\r\n", FetchStatus.CONNECT_ERROR),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", FetchStatus.BAD_CONTENT),
    ],
)
async def test_protocol_violations(server: BadServer, fetcher: Fetcher, raw: bytes, status: FetchStatus) -> None:
    """Wrong lengths, rubbish, header floods and dropped connections are retried, then recorded."""

    async def send(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    server.routes["/"] = send
    fetch = (await ask(fetcher, "/")).fetch
    assert fetch.status in {status, FetchStatus.BAD_CONTENT, FetchStatus.CONNECT_ERROR}
    assert fetch.attempts == 3


async def test_redirects(server: BadServer, fetcher: Fetcher) -> None:
    """Redirects are followed hop by hop; the final URL is recorded and every hop archived."""
    server.routes |= {"/a": reply("", 301, Location="/b"), "/b": reply("", 302, Location="http://other.example/c")}
    server.routes["other.example/c"] = reply("<p>end")
    answer = await ask(fetcher, "/a")
    assert answer.fetch.final_url == "http://other.example/c"
    assert answer.body == b"<p>end"


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("/a", FetchStatus.REDIRECT_LOOP),
        ("ftp://acme.example/", FetchStatus.BAD_CONTENT),
        ("http://user:secret@acme.example/", FetchStatus.BAD_CONTENT),
        ("javascript:alert(1)", FetchStatus.BAD_CONTENT),
        ("http://[::1", FetchStatus.BAD_CONTENT),
    ],
)
async def test_bad_redirects(server: BadServer, fetcher: Fetcher, location: str, status: FetchStatus) -> None:
    """Circles, other schemes and credentials in redirects end with a recorded outcome without the secret."""
    server.routes["/a"] = reply("", 302, Location=location)
    fetch = (await ask(fetcher, "/a")).fetch
    assert fetch.status is status
    assert "secret" not in fetch.model_dump_json()


async def test_too_many_redirects(server: BadServer, fetcher: Fetcher) -> None:
    """An endless chain of new addresses stops after five."""

    async def onward(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(reply("", 302, Location=f"{request.path}x"))
        await writer.drain()

    server.routes |= {f"/{'x' * n}": onward for n in range(1, 20)}
    assert (await ask(fetcher, "/x")).fetch.status is FetchStatus.REDIRECT_LOOP
    assert len(server.hits) == 6


async def test_admit_is_asked_for_each_hop(server: BadServer, fetcher: Fetcher) -> None:
    """A redirect that the crawl does not admit is recorded and never requested."""
    server.routes["/a"] = reply("", 302, Location="http://other.example/")

    async def refuse(_url: str) -> FetchStatus | None:
        return FetchStatus.REDIRECTED_AWAY

    answer = await fetcher.fetch(Ask("c1", "http://acme.example/a", refuse, time.monotonic() + 5))
    assert (answer.fetch.status, answer.fetch.final_url) == ("redirected_away", "http://other.example/")
    assert len(server.hits) == 1


@pytest.mark.parametrize("date", [False, True])
async def test_retry_after(server: BadServer, fetcher: Fetcher, date: bool) -> None:
    """429 and 503 are asked again when they say, in seconds or as a date."""
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True) if date else "1"
    server.routes["/"] = [reply("", 503, Retry_After=when), reply("<p>back")]
    started = time.monotonic()
    fetch = (await ask(fetcher, "/")).fetch
    assert (fetch.status, fetch.attempts) == ("ok", 2)
    assert date or time.monotonic() - started >= 1


async def test_long_retry_after(server: BadServer, fetcher: Fetcher) -> None:
    """A wait beyond the cap or the budget is not waited for."""
    server.routes["/"] = reply("", 429, Retry_After="86400")
    started = time.monotonic()
    fetch = (await ask(fetcher, "/")).fetch
    assert (fetch.status, fetch.http_status, fetch.attempts) == ("http_error", 429, 1)
    assert time.monotonic() - started < 2


async def test_unsupported_type_is_not_downloaded(server: BadServer, fetcher: Fetcher) -> None:
    """The body of a film or PDF is not read."""
    server.routes["/"] = reply(b"%PDF" * 1000, content_type="application/pdf")
    fetch = (await ask(fetcher, "/")).fetch
    assert (fetch.status, fetch.reason, fetch.decoded_bytes) == ("unsupported_type", "application/pdf", 0)


async def test_not_modified(server: BadServer, fetcher: Fetcher) -> None:
    """A known answer is asked for with its validators; 304 points to the old archive record."""
    server.routes["/"] = reply("<p>hi", ETag='"v1"')
    first = (await ask(fetcher, "/")).fetch
    server.routes["/"] = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    second = (await ask(fetcher, "/", known=first)).fetch
    assert server.hits[-1].headers["if-none-match"] == '"v1"'
    assert second.status is FetchStatus.NOT_MODIFIED
    assert (second.archived_at, second.etag, second.content_type) == (first.archived_at, '"v1"', "text/html")


async def test_one_connection_per_host(server: BadServer, fetcher: Fetcher) -> None:
    """Requests to one host wait for each other; different hosts do not."""

    async def slow(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply("x"))
        await writer.drain()

    server.routes["/"] = slow
    await asyncio.gather(*(ask(fetcher, "/") for _ in range(5)))
    assert server.most_connections == 1
    await asyncio.gather(*(ask(fetcher, "/", host=f"h{n}.example") for n in range(5)))
    assert server.most_connections == 5


async def test_delay_between_requests(server: BadServer, fetcher: Fetcher) -> None:
    """A crawl delay keeps requests to the host apart."""
    server.routes["/"] = reply("x")
    fetcher.set_delay("http://acme.example/", 0.2)
    started = time.monotonic()
    for _ in range(3):
        await ask(fetcher, "/")
    assert time.monotonic() - started >= 0.4


async def test_private_addresses_are_refused(server: BadServer, archive: WarcArchive, limits: FetchLimits) -> None:
    """Loopback, by name, number, override or redirect, is not connected to unless allowed."""
    server.routes["/"] = reply("secret")
    closed = replace(limits, allow_private_network=False, connect_to={"over.example": f"127.0.0.1:{server.port}"})
    urls = [
        f"http://127.0.0.1:{server.port}/",
        f"http://localhost:{server.port}/",
        f"http://2130706433:{server.port}/",
        f"http://[::ffff:127.0.0.1]:{server.port}/",
        "http://over.example/",
        "http://169.254.169.254/latest/meta-data/",
    ]
    async with Fetcher(closed, archive) as fetcher:
        for url in urls:
            fetch = (await fetcher.fetch(Ask("c1", url, follow, time.monotonic() + 5))).fetch
            assert fetch.status is FetchStatus.BLOCKED_ADDRESS, url
    assert server.hits == []


async def test_rebinding_name(server: BadServer, archive: WarcArchive, limits: FetchLimits) -> None:
    """A name that is public when checked and loopback when connected reaches nothing on loopback.

    The name is resolved once per connection and the connection goes to the number that was checked.
    """
    server.routes["/"] = reply("secret")
    asked: list[str] = []

    async def rebind(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["192.0.1.1"] if len(asked) == 1 else ["127.0.0.1"]

    closed = replace(limits, allow_private_network=False, connect_to={}, connect_seconds=0.3, attempts=2)
    async with Fetcher(closed, archive, resolve=rebind) as fetcher:
        url = f"http://rebind.example:{server.port}/"
        first = (await fetcher.fetch(Ask("c1", url, follow, time.monotonic() + 5))).fetch
        second = (await fetcher.fetch(Ask("c1", url, follow, time.monotonic() + 5))).fetch
    assert first.status in {FetchStatus.TIMEOUT, FetchStatus.CONNECT_ERROR, FetchStatus.BLOCKED_ADDRESS}
    assert second.status is FetchStatus.BLOCKED_ADDRESS
    assert server.hits == []


async def test_mixed_answers_are_refused(server: BadServer, archive: WarcArchive, limits: FetchLimits) -> None:
    """One private address among public ones refuses the name."""

    async def mixed(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    async with Fetcher(replace(limits, allow_private_network=False, connect_to={}), archive, resolve=mixed) as fetcher:
        assert (await ask(fetcher, "/")).fetch.status is FetchStatus.BLOCKED_ADDRESS
    assert server.hits == []


async def test_dead_hosts(archive: WarcArchive, limits: FetchLimits) -> None:
    """No address and no listener are told apart."""

    async def nowhere(host: str, _port: int) -> list[str]:
        if host == "gone.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["127.0.0.1"]

    async with Fetcher(replace(limits, connect_to={}), archive, resolve=nowhere) as fetcher:
        gone = (await ask(fetcher, "/", host="gone.example")).fetch
        assert (gone.status, gone.attempts) == ("dns_error", 1)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            deaf = (await ask(fetcher, "/", host=f"deaf.example:{closed.getsockname()[1]}")).fetch
        assert (deaf.status, deaf.attempts) == ("connect_error", 3)


async def test_proxy_settings_are_ignored(
    server: BadServer, archive: WarcArchive, limits: FetchLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy from the environment would connect past the address check, so none is used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.routes["/"] = reply("direct")
    async with Fetcher(limits, archive) as fetcher:
        assert (await ask(fetcher, "/")).body == b"direct"
