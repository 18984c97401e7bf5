"""A web of static sites on one loopback port: virtual hosts by the Host header (RFC 9110, 7.2) and faults on demand.

In a test: `with SampleWeb(sites_dir, load_faults(file)) as web: ... web.port, web.connect_to, web.edit(...), web.hits`.
As a process: `python tests/sample_web/server.py --port 0`; its first line is the port, its second the `connect_to`
setting as JSON. The process ends with its parent.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import ctypes
import email.utils
import gzip
import hashlib
import json
import mimetypes
import os
import signal
import socket
import struct
import sys
import threading
import time
import tomllib
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

IDLE_SECONDS = 30.0
CHUNK = 64 * 1024
CONDITIONS = {"if-none-match", "if-modified-since"}
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}
KINDS = {"redirect", "status", "slow", "trickle", "big", "bomb", "content_type", "drop"}
TEXT_TYPES = ("text/", "application/xml", "application/json", "application/javascript", "image/svg+xml")


@dataclass(frozen=True)
class Fault:
    """What the server does instead of, or before, serving a file. `path` `*` means every path of the host.

    Kinds: redirect (`to`, `{path}` is the path asked for), status (`status`, `retry_after` seconds), slow (`seconds`
    before the answer), trickle (one byte per `seconds`), big (`size` bytes of HTML, streamed), bomb (`size` zero bytes,
    gzipped), content_type (the header `value`, right or wrong), drop (the connection is closed without an answer).
    The first `times` requests meet the fault (0: all do).
    """

    host: str
    path: str
    kind: str
    status: int = 302
    to: str = ""
    value: str = ""
    seconds: float = 0.0
    size: int = 0
    retry_after: int = 0
    times: int = 0


@dataclass(frozen=True)
class Hit:
    """One request; times are monotonic seconds: when it had come, and when the answer was ready to be sent."""

    host: str
    target: str
    status: int  # 0: closed without an answer
    user_agent: str
    conditional: bool
    started: float
    answered: float


@dataclass(frozen=True)
class Request:
    """The head of a request: header names and host in lower case, the host without port, the path decoded."""

    method: str
    target: str
    host: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Answer:
    """A response; `stream` replaces `body` where the length is not told."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None


def load_faults(file: Path) -> list[Fault]:
    """Read the `[[fault]]` tables of a TOML file; raises ValueError for an unknown kind."""
    faults = [Fault(**table) for table in tomllib.loads(file.read_text("utf-8"))["fault"]]
    if unknown := {fault.kind for fault in faults} - KINDS:
        raise ValueError(f"{file}: unknown fault kind: {', '.join(sorted(unknown))}")
    return faults


class Sites:
    """The files of all sites, read on demand, with the edits laid over them."""

    def __init__(self, folder: Path, pattern: str = "{name}") -> None:
        folders = sorted(entry for entry in folder.iterdir() if entry.is_dir())
        self.roots = {pattern.format(name=entry.name).lower(): entry.resolve() for entry in folders}
        self._edits: dict[Path, tuple[bytes, float]] = {}

    def find(self, host: str, path: str) -> Path | None:
        """The file behind a path: itself, its index page or, for clean URLs, `path.html`; never outside the site."""
        root = self.roots.get(host) or self.roots.get(host.removeprefix("www."))
        if root is None or "\0" in path:
            return None
        base = root / path.lstrip("/")
        for candidate in (base, base / "index.html", base.with_name(base.name + ".html") if base != root else base):
            try:
                real = candidate.resolve()
                if real.is_relative_to(root) and real.is_file():
                    return real
            except (OSError, RuntimeError):  # a name too long, or a loop of links
                return None
        return None

    def read(self, file: Path) -> tuple[bytes, float]:
        """Content and time of change (seconds since 1970)."""
        return self._edits.get(file) or (file.read_bytes(), file.stat().st_mtime)

    def edit(self, host: str, path: str, old: str, new: str) -> None:
        """Replace each `old` on a page from now on, in memory; raises ValueError where it is not there."""
        file = self.find(host, path)
        if file is None:
            raise ValueError(f"no page {host}{path}")
        content, changed = self.read(file)
        charset = "latin-1" if b"charset=iso-8859-1" in content else "utf-8"
        if old.encode(charset) not in content:
            raise ValueError(f"{host}{path} does not contain {old!r}")
        self._edits[file] = (content.replace(old.encode(charset), new.encode(charset)), max(time.time(), changed + 1))


class SampleWeb:
    """The server: a thread with its own event loop, on a loopback port, as a context manager."""

    def __init__(
        self, sites_dir: Path, faults: Iterable[Fault] = (), *, port: int = 0, host_pattern: str = "{name}"
    ) -> None:
        self.sites = Sites(sites_dir, host_pattern)
        self.edit = self.sites.edit
        self.hits: list[Hit] = []
        self._faults = {(fault.host, fault.path): fault for fault in faults}
        self._met: Counter[tuple[str, str]] = Counter()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._closed_port = socket.socket()  # bound, never listening: connections to it are refused
        self._closed_port.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    @property
    def connect_to(self) -> dict[str, str]:
        """Where a client is to connect: every host here, the dead ones to a port that refuses."""
        dead = [host for (host, path), fault in self._faults.items() if fault.kind == "drop" and path == "*"]
        closed = f"127.0.0.1:{self._closed_port.getsockname()[1]}"
        return {**dict.fromkeys(dead, closed), "*": f"127.0.0.1:{self.port}"}

    def __enter__(self) -> SampleWeb:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._closed_port.close()
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._converse, sock=self._socket)
        await self._stopping.wait()
        server.close()
        conversations = asyncio.all_tasks() - {asyncio.current_task()}
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                async with asyncio.timeout(IDLE_SECONDS):
                    request = parse_head(await reader.readuntil(b"\r\n\r\n"))
                if not await self._respond(request, writer):
                    break
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, asyncio.CancelledError):
            pass  # the client left, was silent (TimeoutError) or does not speak HTTP, or the server stops
        finally:
            writer.close()

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; says whether the connection stays open."""
        started, answer = time.monotonic(), await self._answer(request)
        status = answer.status if answer else 0
        agent, conditional = request.headers.get("user-agent", ""), not CONDITIONS.isdisjoint(request.headers)
        # recorded before it is sent, so that a client that has the answer finds it in the log
        self.hits.append(Hit(request.host, request.target, status, agent, conditional, started, time.monotonic()))
        if answer is None:
            reset(writer)
            return False
        await send(request, answer, writer)
        return request.headers.get("connection", "").lower() != "close" and answer.stream is None

    async def _answer(self, request: Request) -> Answer | None:
        if request.method not in {"GET", "HEAD"}:
            return page_of_status(405)
        fault = self._fault(request)
        if fault and fault.kind == "drop":
            return None
        if fault and fault.kind not in {"slow", "content_type"}:
            return faulty_answer(fault, request)
        await asyncio.sleep(fault.seconds if fault else 0)
        answer = self._file(request)
        if fault and fault.value:
            answer.headers["Content-Type"] = fault.value
        return answer

    def _fault(self, request: Request) -> Fault | None:
        for key in ((request.host, request.path), (request.host, "*")):
            fault = self._faults.get(key)
            if fault and (not fault.times or self._met[key] < fault.times):
                self._met[key] += 1
                return fault
        return None

    def _file(self, request: Request) -> Answer:
        file = self.sites.find(request.host, request.path)
        if file is None:
            return page_of_status(404)
        if file.name == "index.html" and not request.path.endswith(("/", "index.html")):
            return Answer(301, {"Location": request.path + "/"})
        content, changed = self.sites.read(file)
        etag = f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
        headers = {"ETag": etag, "Last-Modified": email.utils.formatdate(changed, usegmt=True)}
        if not is_modified(request, etag, changed):
            return Answer(304, headers)
        headers["Content-Type"] = content_type(file, content)
        if headers["Content-Type"].startswith(TEXT_TYPES) and "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            content = gzip.compress(content, 5, mtime=0)
        return Answer(200, headers, content)


def reset(writer: asyncio.StreamWriter) -> None:
    """Drop a connection as a dead host does: with a reset (linger of zero), not with an orderly end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def parse_head(head: bytes) -> Request:
    """Read a request's head; raises ValueError where it is not HTTP/1."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(f"not HTTP/1: {version!r}")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    host = headers.get("host", "").rsplit(":", 1)[0].lower().rstrip(".")
    return Request(method, target, host, unquote(urlsplit(target).path, errors="replace") or "/", headers)


def is_modified(request: Request, etag: str, changed: float) -> bool:
    """Evaluate the preconditions (RFC 9110, 13.2.2: If-None-Match goes first)."""
    if "if-none-match" in request.headers:
        tags = [tag.strip().removeprefix("W/") for tag in request.headers["if-none-match"].split(",")]
        return etag not in tags and "*" not in tags
    since = email.utils.parsedate_tz(request.headers.get("if-modified-since", ""))
    return since is None or int(changed) > email.utils.mktime_tz(since)


def content_type(file: Path, content: bytes) -> str:
    """The type by the file's name; HTML names UTF-8 unless the page declares another charset itself."""
    guessed = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if guessed == "text/html":
        return guessed if b"charset=" in content[:1024].lower() else "text/html; charset=utf-8"
    return f"{guessed}; charset=utf-8" if guessed == "text/plain" else guessed


def page_of_status(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """A small HTML page that says what is wrong."""
    phrase = HTTPStatus(status).phrase
    body = f"<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>"
    return Answer(status, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}, body.encode())


def faulty_answer(fault: Fault, request: Request) -> Answer:
    """The answer of a fault that needs no file."""
    if fault.kind == "redirect":
        return Answer(fault.status, {"Location": fault.to.replace("{path}", request.target)})
    if fault.kind == "status":
        return page_of_status(fault.status, {"Retry-After": str(fault.retry_after)} if fault.retry_after else None)
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if fault.kind == "bomb":
        return Answer(200, {**headers, "Content-Encoding": "gzip"}, stream=gzip_bomb(fault.size))
    return Answer(200, headers, stream=trickle(fault.seconds) if fault.kind == "trickle" else big_page(fault.size))


async def big_page(size: int) -> AsyncIterator[bytes]:
    """About `size` bytes of HTML: one long price list."""
    yield b"<!doctype html><html lang='en'><head><title>Price list</title></head><body><h1>Price list</h1><table>"
    row = b"<tr><td>Article</td><td>Hexagon bolt, zinc plated, box of one hundred</td><td>12.40</td></tr>\n"
    block = row * (CHUNK // len(row))
    for _ in range(size // len(block) + 1):
        yield block
    yield b"</table></body></html>"


async def gzip_bomb(size: int) -> AsyncIterator[bytes]:
    """`size` zero bytes, packed about a thousand to one."""
    packer, block = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1 << 20)
    for _ in range(size // len(block) + 1):
        yield packer.compress(block)
        await asyncio.sleep(0)  # packing is slow: the other clients go on meanwhile
    yield packer.flush()


async def trickle(seconds: float) -> AsyncIterator[bytes]:
    """A page that never ends, one byte per `seconds`."""
    while True:
        yield b"."
        await asyncio.sleep(seconds)


async def send(request: Request, answer: Answer, writer: asyncio.StreamWriter) -> None:
    """Write a response; a stream goes out chunked (RFC 9112, 7.1)."""
    headers = {"Date": email.utils.formatdate(usegmt=True), "Server": "sample-web", **answer.headers}
    if answer.stream is not None:
        headers |= {"Transfer-Encoding": "chunked", "Connection": "close"}
    elif answer.status != HTTPStatus.NOT_MODIFIED:
        headers["Content-Length"] = str(len(answer.body))
    fields = [f"{name}: {value}" for name, value in headers.items()]
    status_line = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"
    writer.write("\r\n".join([status_line, *fields, "", ""]).encode("latin-1"))
    if request.method == "GET" and answer.stream is not None:
        async for chunk in answer.stream:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b"")  # an empty one would end the body
            await writer.drain()
        writer.write(b"0\r\n\r\n")
    elif request.method == "GET":
        writer.write(answer.body)
    await writer.drain()


def write_companies(file: Path, hosts: Iterable[str]) -> None:
    """Write the company list of the served hosts (id, name, domain, url, country by the folder's prefix `xx-`)."""
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "name", "domain", "url", "country"])
        for host in hosts:
            name = host.split(".", 1)[0]
            country = name[:2].upper().replace("UK", "GB") if name[2:3] == "-" else ""
            rows.writerow([name, name, host, f"http://{host}/", country])


def die_with_parent() -> None:
    """Ask Linux to end this process when its parent ends (prctl(2), PR_SET_PDEATHSIG)."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the request was in force
            sys.exit(1)


def main() -> None:
    """Serve until the process is ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--sites", type=Path, default=Path(__file__).parent / "sites", help="folder of one folder per site"
    )
    options.add_argument("--port", type=int, default=0, help="0: any free port")
    options.add_argument("--faults", type=Path, help="TOML file of faults (default: faults.toml beside the sites)")
    options.add_argument("--host-pattern", default="{name}", help="host of a folder, such as {name}.example")
    options.add_argument("--companies-out", type=Path, help="write the company list of the served hosts here")
    given = options.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # before the thread starts, so that it inherits the mask
    die_with_parent()
    file: Path = given.faults or given.sites.resolve().parent / "faults.toml"
    faults = load_faults(file) if given.faults or file.exists() else []
    with SampleWeb(given.sites, faults, port=given.port, host_pattern=given.host_pattern) as web:
        if given.companies_out:
            write_companies(given.companies_out, web.sites.roots)
        sys.stdout.write(f"{web.port}\n{json.dumps(web.connect_to)}\n")
        sys.stdout.flush()
        signal.sigwait(STOP_SIGNALS)


if __name__ == "__main__":
    main()
