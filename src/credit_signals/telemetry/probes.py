"""/healthz, /readyz and /metrics over HTTP, from a thread of their own: they answer while the models compute."""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from credit_signals.errors import ConfigurationError
from credit_signals.telemetry.health import WorkerHealth

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0  # a client that sends nothing holds its thread no longer


class ProbeServer:
    """Serves a worker's health and metrics on every address of the machine, for the length of a block.

    Entering raises ConfigurationError when the port is taken.
    """

    def __init__(self, port: int, health: WorkerHealth, registry: CollectorRegistry) -> None:
        self._port = port
        self._handler = _handler(health, registry)

    def __enter__(self) -> ProbeServer:
        try:
            self._server = _Server(("", self._port), self._handler)
        except OSError as exc:
            raise ConfigurationError(f"CREDIT_SIGNALS_PROBE_PORT={self._port}: {exc.strerror}") from exc
        Thread(target=self._server.serve_forever, daemon=True, name="probes").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:  # a cluster may probe by either
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news; whatever else went wrong belongs in the log, not bare on stderr."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.exception("could not answer %s", client_address)


def _handler(health: WorkerHealth, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    """The handler class that answers from these two."""

    def condition(failing: Callable[[], list[str]]) -> tuple[HTTPStatus, str, bytes]:
        reasons = failing()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        body = {"status": "failing", "failing": reasons} if reasons else {"status": "ok"}
        return status, "application/json", json.dumps(body).encode() + b"\n"

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS
        server_version, sys_version = "credit-signals", ""

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._answer(*condition(health.not_alive))
                case "/readyz":
                    self._answer(*condition(health.not_ready))
                case "/metrics":
                    encode, kind = choose_encoder(self.headers.get("Accept") or "")
                    self._answer(HTTPStatus.OK, kind, encode(registry))
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/healthz, /readyz, /metrics\n")

        do_HEAD = do_GET  # noqa: N815  named by http.server

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds: they are no news."""

    return Handler
