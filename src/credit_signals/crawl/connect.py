"""Connections to checked addresses only: resolve, check every address, connect to exactly the checked one.

The name is resolved once per connection and the connection goes to the resolved number, so a name that answers
differently the second time (DNS rebinding) gains nothing. TLS still verifies the name, and Host stays as asked.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from credit_signals.crawl.addresses import refusal
from credit_signals.crawl.limits import FetchLimits
from credit_signals.domain import FetchStatus
from credit_signals.errors import FetchError

Resolve = Callable[[str, int], Awaitable[list[str]]]
KEEPALIVE_SECONDS = 15.0


@functools.cache
def _resolver_threads() -> ThreadPoolExecutor:
    # the system's resolver blocks for seconds on dead names: its own threads, so that nothing else waits behind it
    return ThreadPoolExecutor(32, "resolve")


async def resolve_by_system(host: str, port: int) -> list[str]:
    """All addresses of a host by the system's resolver, in its order of preference. Raises OSError."""
    ask = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_resolver_threads(), ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to addresses that passed the check. Raises FetchError with the outcome to record."""

    def __init__(self, limits: FetchLimits, resolve: Resolve) -> None:
        self._limits = limits
        self._resolve = resolve
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers within `timeout` seconds."""
        target, target_port = self._target(host, port)
        seconds = self._limits.connect_seconds if timeout is None else timeout
        deadline = time.monotonic() + seconds
        addresses = await self._checked_addresses(host, target, target_port, seconds)
        failure: Exception | None = None
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = max(0.05, (deadline - time.monotonic()) / left)
            try:
                stream = await self._plain.connect_tcp(address, target_port, share, local_address, socket_options)
                return _Stream(stream, host)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        status = FetchStatus.TIMEOUT if isinstance(failure, httpcore.ConnectTimeout) else FetchStatus.CONNECT_ERROR
        reason = "no connection in time" if status is FetchStatus.TIMEOUT else "no connection"
        raise FetchError(host, status, f"{reason} to port {port}") from failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refused: no website is behind a local socket."""
        raise FetchError(path, FetchStatus.BLOCKED_ADDRESS, "local sockets are not connected to")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def _target(self, host: str, port: int) -> tuple[str, int]:
        override = self._limits.connect_to.get(host) or self._limits.connect_to.get("*")
        if not override:
            return host, port
        target, _, target_port = override.rpartition(":")
        return target.strip("[]"), int(target_port)

    async def _checked_addresses(self, host: str, target: str, port: int, seconds: float) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolve(target, port)
        except TimeoutError as exc:
            raise FetchError(host, FetchStatus.DNS_ERROR, "the name server does not answer in time") from exc
        except (OSError, UnicodeError) as exc:
            temporary = isinstance(exc, socket.gaierror) and exc.errno == socket.EAI_AGAIN
            reason = "the name server does not answer" if temporary else "the name has no address"
            raise FetchError(host, FetchStatus.DNS_ERROR, reason) from exc
        if not addresses:
            raise FetchError(host, FetchStatus.DNS_ERROR, "the name has no address")
        if not self._limits.allow_private_network:
            # one bad address refuses the name: a mixed answer is how rebinding begins
            for address in addresses:
                reason_refused = refusal(address)
                if reason_refused:
                    raise FetchError(host, FetchStatus.BLOCKED_ADDRESS, f"{address}: {reason_refused}")
        return addresses


class _Stream(httpcore.AsyncNetworkStream):
    """A connection whose failed TLS handshake is told from a failed connection."""

    def __init__(self, inner: httpcore.AsyncNetworkStream, host: str) -> None:
        self._inner = inner
        self._host = host

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as above
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except httpcore.ConnectTimeout as exc:
            raise FetchError(self._host, FetchStatus.TIMEOUT, "no TLS handshake in time") from exc
        except httpcore.ConnectError as exc:
            raise FetchError(self._host, FetchStatus.TLS_ERROR, _tls_reason(exc)) from exc

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _tls_reason(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate refused: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS handshake failed: {cause.reason or 'no reason given'}"
        cause = cause.__cause__ or cause.__context__
    return "TLS handshake failed: the connection was closed"


@dataclass(slots=True)
class _Lane:
    """The one connection to an origin."""

    pool: httpcore.AsyncConnectionPool
    busy: int = 0
    used_at: float = 0.0


class CheckedTransport(httpx.AsyncBaseTransport):
    """httpx over checked connections, one per origin; errors are httpcore's and FetchError.

    Each origin has a pool of its own: a common pool looks through all connections for every request, which with
    hundreds of sites costs more than the requests.
    """

    def __init__(self, limits: FetchLimits, resolve: Resolve, context: ssl.SSLContext) -> None:
        self._backend = CheckedBackend(limits, resolve)
        self._context = context
        self._lanes: OrderedDict[str, _Lane] = OrderedDict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the response's body is streamed."""
        url = request.url
        wanted = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        lane = await self._lane(str(wanted.origin))
        lane.busy += 1
        try:
            response = await lane.pool.handle_async_request(
                httpcore.Request(
                    method=request.method, url=wanted, headers=request.headers.raw, extensions=request.extensions
                )
            )
        except BaseException:
            lane.busy -= 1
            raise
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response, lane),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        while self._lanes:
            _, lane = self._lanes.popitem()
            await lane.pool.aclose()

    async def _lane(self, origin: str) -> _Lane:
        lane = self._lanes.get(origin)
        if lane is None:
            await self._close_idle()
            pool = httpcore.AsyncConnectionPool(
                ssl_context=self._context,
                http1=True,
                http2=True,
                max_connections=1,
                keepalive_expiry=KEEPALIVE_SECONDS,
                network_backend=self._backend,
            )
            lane = self._lanes[origin] = _Lane(pool)
        lane.used_at = time.monotonic()
        self._lanes.move_to_end(origin)
        return lane

    async def _close_idle(self) -> None:
        """Close the lanes that nobody has used for a while."""
        oldest_kept = time.monotonic() - KEEPALIVE_SECONDS
        for origin in [origin for origin, lane in self._lanes.items() if lane.used_at < oldest_kept and not lane.busy]:
            lane = self._lanes.pop(origin)
            await lane.pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, lane: _Lane) -> None:
        self._response = response
        self._lane: _Lane | None = lane

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.busy -= 1
            lane.used_at = time.monotonic()
        await self._response.aclose()
