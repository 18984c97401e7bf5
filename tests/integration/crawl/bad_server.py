"""A raw HTTP/1.1 server that can misbehave in every way, on loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

TLS_HELLO = b"\x16"


@dataclass
class Request:
    """What a client asked for."""

    host: str
    path: str
    headers: dict[str, str]


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def reply(
    body: str | bytes = "", status: int = 200, content_type: str = "text/html; charset=utf-8", **more: str
) -> bytes:
    """A well-formed response; `more`: further headers, `_` for `-`."""
    raw = body.encode() if isinstance(body, str) else body
    headers = {"Content-Type": content_type, "Content-Length": str(len(raw))}
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + raw


@dataclass
class BadServer:
    """Routes by `host/path` or `/path`: bytes to send, or a handler that does what it wants; 404 otherwise."""

    port: int = 0
    routes: dict[str, bytes | Handler | list[bytes]] = field(default_factory=dict)
    hits: list[Request] = field(default_factory=list)
    open_connections: int = 0
    most_connections: int = 0

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [hit.path for hit in self.hits]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.open_connections += 1
        self.most_connections = max(self.most_connections, self.open_connections)
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        if first == TLS_HELLO:
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        request = Request(headers.get("host", ""), head[0].split(" ")[1], headers)
        self.hits.append(request)
        route = self.routes.get(request.host + request.path, self.routes.get(request.path, reply("no", 404)))
        if isinstance(route, list):
            route = route.pop(0) if len(route) > 1 else route[0]
        if isinstance(route, bytes):
            writer.write(route)
            await writer.drain()
            return True
        await route(request, writer)
        return False
