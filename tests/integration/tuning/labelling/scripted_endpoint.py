"""A real HTTP server on loopback whose answers are scripted, good and hostile."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNALS = {"signals": [{"code": "hiring", "stance": "ongoing", "subject": "company", "severity": 1}]}


@dataclass
class Answer:
    """A response; `hold` is waited for before it is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


def completion(content: Any, usage: tuple[int, int] | None = (1000, 20)) -> Answer:
    """A chat completion with this content."""
    text = content if isinstance(content, str) else json.dumps(content)
    told: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    if usage:
        told["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return Answer(body=json.dumps(told).encode())


class ScriptedEndpoint:
    """Answers requests by `script`, which gets the number of the request, from 1, and its body."""

    def __init__(self, script: Callable[[int, dict[str, Any]], Answer]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with endpoint._lock:
                    endpoint.bodies.append(body)
                    endpoint.headers.append({name.lower(): value for name, value in self.headers.items()})
                    number = len(endpoint.bodies)
                    endpoint._now += 1
                    endpoint.most_at_once = max(endpoint.most_at_once, endpoint._now)
                try:
                    self._send(script(number, body))
                except ConnectionError:
                    pass
                finally:
                    with endpoint._lock:
                        endpoint._now -= 1

            def _send(self, answer: Answer) -> None:
                if answer.hold:
                    answer.hold.wait(30)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def sentences(self) -> list[str]:
        """The sentence of each request, in order."""
        return [json.loads(body["messages"][1]["content"])["sentence"] for body in self.bodies]

    def __enter__(self) -> ScriptedEndpoint:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
