"""One request at a time per host, within limits, its outcome always recorded; nothing here raises for a bad website."""

from __future__ import annotations

import asyncio
import functools
import random
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import ParamSpec, Self, TypeVar
from urllib.parse import urlsplit

import httpcore
import httpx

from credit_signals.crawl.archive import Exchange, WarcArchive
from credit_signals.crawl.bodies import BoundedDecoder
from credit_signals.crawl.connect import CheckedTransport, Resolve, resolve_by_system
from credit_signals.crawl.limits import FetchLimits
from credit_signals.crawl.urls import canonical_url, redirect_target
from credit_signals.domain import ArchivedAt, Fetch, FetchStatus, now
from credit_signals.errors import FetchError

REDIRECTS = {301, 302, 303, 307, 308}
PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", ""})
ANY_TYPE: frozenset[str] = frozenset()
RETRIED_STATUSES = {429, 502, 503, 504}
ERROR_BODY_BYTES = 64 * 1024  # of an answer that is no page, for the archive
ARCHIVE_THREADS = 4
MAX_HOSTS = 10_000
GONE_AWAY = "the connection ended early or broke the protocol"

P = ParamSpec("P")
T = TypeVar("T")
Admit = Callable[[str], Awaitable[FetchStatus | None]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to make. `admit` judges each redirect's target: None follows it, a status ends with that outcome."""

    company_id: str
    url: str  # canonical
    admit: Admit
    deadline: float  # time.monotonic() at which the company's time is spent
    types: frozenset[str] = PAGE_TYPES  # empty: any
    max_bytes: int = 0  # 0: the limit for pages
    truncate: bool = False  # keep the first max_bytes instead of refusing a larger body
    known: Fetch | None = None  # an archived answer, for a conditional request


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome and the decoded body (empty unless the status is ok)."""

    fetch: Fetch
    body: bytes = b""


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    delay: float = 0.0


@dataclass(slots=True)
class _Reply:
    """One response to one request."""

    status: int
    headers: httpx.Headers
    body: bytes = b""
    place: ArchivedAt | None = None
    failure: FetchError | None = None
    retry: bool = False  # the failure may be gone the next time


class Fetcher:
    """Fetches for many companies at once; one per process. Use as an async context manager.

    `resolve` gives all addresses of a host; `tls` verifies certificates (default: the certifi bundle).
    """

    def __init__(
        self,
        limits: FetchLimits,
        archive: WarcArchive,
        resolve: Resolve = resolve_by_system,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits
        self.archive = archive
        self._resolve = resolve
        self._tls = tls
        self._client: httpx.AsyncClient | None = None
        self._threads = ThreadPoolExecutor(ARCHIVE_THREADS, "crawl")
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def __aenter__(self) -> Self:
        context = self._tls or httpx.create_ssl_context(trust_env=False)
        timeout = httpx.Timeout(self.limits.read_seconds, connect=self.limits.connect_seconds, pool=None)
        self._client = httpx.AsyncClient(
            transport=CheckedTransport(self.limits, self._resolve, context),
            trust_env=False,  # a proxy would connect for us, past the address check
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # visitors of many sites, known to none
            timeout=timeout,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None
        self._threads.shutdown()

    def set_delay(self, url: str, seconds: float) -> None:
        """Obey a host's crawl delay from now on, up to the limit's cap."""
        host = self._host(url)
        host.delay = min(seconds, self.limits.max_crawl_delay)
        host.free_at = max(host.free_at, time.monotonic() + host.delay)

    async def fetch(self, ask: Ask) -> Answer:
        """Ask for a URL, redirects and retries included. Raises StoreUnavailable when the archive is full."""
        started, url, seen = time.monotonic(), ask.url, {ask.url}
        attempts = 0
        while True:
            reply, tries = await self._with_retries(ask, url)
            attempts += tries
            record = _Record(ask, url, attempts, started)
            if reply.failure is not None:
                return record.ended(reply, FetchStatus(reply.failure.status), reply.failure.reason)
            if reply.status not in REDIRECTS:
                return record.answered(reply)
            target = redirect_target(reply.headers["location"], url) if "location" in reply.headers else None
            if target is None:
                return record.ended(reply, FetchStatus.BAD_CONTENT, "redirects to something that is not requested")
            if target in seen:
                return record.ended(reply, FetchStatus.REDIRECT_LOOP, "redirects in a circle")
            if len(seen) > self.limits.max_redirects:
                reason = f"redirects more than {self.limits.max_redirects} times"
                return record.ended(reply, FetchStatus.REDIRECT_LOOP, reason)
            verdict = await ask.admit(target)
            if verdict is not None:
                return record.ended(reply, verdict, f"redirects to {target}", target)
            seen.add(target)
            url = target

    async def _with_retries(self, ask: Ask, url: str) -> tuple[_Reply, int]:
        host = self._host(url)
        async with host.lock:
            for attempt in range(1, self.limits.attempts + 1):
                pause = max(0.0, host.free_at - time.monotonic())
                if time.monotonic() + pause >= ask.deadline:
                    error = FetchError(url, FetchStatus.BUDGET_SPENT, "the company's time is spent")
                    return _Reply(0, httpx.Headers(), failure=error), attempt - 1
                await asyncio.sleep(pause)
                reply = await self._once(ask, url)
                host.free_at = time.monotonic() + max(self.limits.min_delay, host.delay)
                wait = self._retry_wait(reply, attempt, ask.deadline)
                if wait is None or attempt == self.limits.attempts:
                    return reply, attempt
                host.free_at = max(host.free_at, time.monotonic() + wait)
        raise AssertionError("attempts is at least 1")

    def _retry_wait(self, reply: _Reply, attempt: int, deadline: float) -> float | None:
        """Seconds until the next attempt, or None when there is none."""
        backoff = self.limits.backoff_seconds * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
        if reply.failure is not None:
            wait = backoff if reply.retry else None
        elif reply.status in RETRIED_STATUSES:
            asked = retry_after(reply.headers.get("retry-after", ""))
            wait = backoff if asked is None else max(asked, backoff)
            if wait > max(self.limits.max_retry_after, backoff):
                wait = None
        else:
            wait = None
        return None if wait is None or time.monotonic() + wait >= deadline else wait

    async def _once(self, ask: Ask, url: str) -> _Reply:
        """One attempt; failures come back in the reply, cut short responses are archived as far as they came."""
        if self._client is None:
            raise RuntimeError("the fetcher is not open: use it as an async context manager")
        left = ask.deadline - time.monotonic()
        seconds = min(self.limits.total_seconds, left)
        reply = _Reply(0, httpx.Headers())
        try:
            request = self._client.build_request("GET", url, headers=self._headers(ask, url))
            async with asyncio.timeout(seconds):
                response = await self._client.send(request, stream=True)
                try:
                    reply.status, reply.headers = response.status_code, response.headers
                    await self._read(ask, url, request, response, reply)
                finally:
                    await response.aclose()
        except FetchError as error:
            reply.failure, reply.retry = error, _is_temporary(error)
        except TimeoutError:
            spent = left <= self.limits.total_seconds
            status = FetchStatus.BUDGET_SPENT if spent else FetchStatus.TIMEOUT
            reply.failure = FetchError(url, status, f"no complete response within {seconds:.0f} s")
        except (httpcore.TimeoutException, httpx.TimeoutException):
            reply.failure = FetchError(url, FetchStatus.TIMEOUT, f"silent for {self.limits.read_seconds:.0f} s")
        except (httpcore.NetworkError, httpx.NetworkError):
            reply.failure, reply.retry = FetchError(url, FetchStatus.CONNECT_ERROR, GONE_AWAY), True
        except httpcore.RemoteProtocolError:
            # also a kept connection that the server closed just now, hence the retry
            status = FetchStatus.BAD_CONTENT if reply.status else FetchStatus.CONNECT_ERROR
            reply.failure, reply.retry = FetchError(url, status, GONE_AWAY), True
        except (httpcore.LocalProtocolError, httpx.HTTPError, httpx.InvalidURL, ValueError):
            reply.failure = FetchError(url, FetchStatus.BAD_CONTENT, "the request cannot be sent")
        return reply

    async def _read(self, ask: Ask, url: str, request: httpx.Request, response: httpx.Response, reply: _Reply) -> None:
        raw = bytearray()
        truncated = "disconnect"
        try:
            truncated = await self._read_body(ask, url, response, reply, raw)
        except asyncio.CancelledError:
            truncated = "time"
            raise
        finally:
            exchange = Exchange(
                url=url,
                method="GET",
                request_headers=request.headers.multi_items(),
                status=response.status_code,
                headers=response.headers.multi_items(),
                body=bytes(raw),
                at=now(),
                http2=response.http_version == "HTTP/2",
                truncated=truncated,
            )
            reply.place = await asyncio.shield(self.in_thread(self.archive.write, exchange))

    async def _read_body(self, ask: Ask, url: str, response: httpx.Response, reply: _Reply, raw: bytearray) -> str:
        """Read into `raw` and the reply; why the body was cut short (as WARC says it), or empty."""
        good = HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES
        content_type, _ = split_content_type(response.headers.get("content-type", ""))
        if good and ask.types and content_type not in ask.types:
            reply.failure = FetchError(url, FetchStatus.UNSUPPORTED_TYPE, content_type or "no content type")
            return "unspecified"
        limit = (ask.max_bytes or self.limits.max_bytes) if good else ERROR_BODY_BYTES
        try:
            encoding = response.headers.get("content-encoding", "")
            decoder = BoundedDecoder(url, encoding, limit, truncate=ask.truncate or not good)
            async for piece in response.aiter_raw():
                raw += piece
                decoder.feed(piece)
                if decoder.full:
                    break
            reply.body = decoder.finish()
        except FetchError as error:
            if good:  # what an error page says does not matter
                reply.failure = error
            return "length" if error.status == FetchStatus.TOO_LARGE else "unspecified"
        return "length" if decoder.full else ""

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do heavy or disk work beside the event loop; the loop's own threads may all wait for name servers."""
        call = functools.partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _headers(self, ask: Ask, url: str) -> dict[str, str]:
        headers = {
            "User-Agent": self.limits.user_agent,
            "Accept": "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.5,*/*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
        }
        known = ask.known
        if known is not None and known.final_url == canonical_url(
            url
        ):  # validators belong to the resource that gave them
            if known.etag:
                headers["If-None-Match"] = known.etag
            if known.last_modified:
                headers["If-Modified-Since"] = known.last_modified
        return headers

    def _host(self, url: str) -> _Host:
        name = urlsplit(url).netloc
        host = self._hosts.setdefault(name, _Host())
        self._hosts.move_to_end(name)
        if len(self._hosts) > MAX_HOSTS:
            oldest, state = next(iter(self._hosts.items()))
            if not state.lock.locked():
                del self._hosts[oldest]
        return host


@dataclass(frozen=True, slots=True)
class _Record:
    """Makes the Fetch of a finished request."""

    ask: Ask
    url: str
    attempts: int
    started: float

    def answered(self, reply: _Reply) -> Answer:
        known = self.ask.known
        if reply.status == HTTPStatus.NOT_MODIFIED and known is not None:
            return self.ended(reply, FetchStatus.NOT_MODIFIED, "")
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return self.ended(reply, FetchStatus.HTTP_ERROR, f"answers {reply.status}")
        return Answer(self.ended(reply, FetchStatus.OK, "").fetch, reply.body)

    def ended(self, reply: _Reply, status: FetchStatus, reason: str, final_url: str = "") -> Answer:
        content_type, charset = split_content_type(reply.headers.get("content-type", ""))
        fetch = Fetch(
            company_id=self.ask.company_id,
            url=self.ask.url,
            final_url=canonical_url(final_url or self.url) or self.ask.url,
            status=status,
            http_status=reply.status or None,
            reason=reason[:500],
            content_type=content_type,
            charset=charset,
            decoded_bytes=len(reply.body),
            seconds=round(time.monotonic() - self.started, 3),
            attempts=max(1, self.attempts),
            etag=_validator(reply.headers.get("etag", "")),
            last_modified=_validator(reply.headers.get("last-modified", "")),
            fetched_at=now(),
            archived_at=reply.place,
        )
        known = self.ask.known
        if status is FetchStatus.NOT_MODIFIED and known is not None:
            same = {name: getattr(known, name) for name in ("content_type", "charset", "decoded_bytes", "archived_at")}
            validators = {"etag": fetch.etag or known.etag, "last_modified": fetch.last_modified or known.last_modified}
            fetch = fetch.model_copy(update=same | validators)
        return Answer(fetch)


def _is_temporary(error: FetchError) -> bool:
    cause = error.__cause__
    no_name_server = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN
    return error.status == FetchStatus.CONNECT_ERROR or no_name_server


def split_content_type(value: str) -> tuple[str, str]:
    """Media type and charset parameter of a Content-Type header, lower-case, empty where missing."""
    kind, _, rest = value.partition(";")
    charset = ""
    for parameter in rest.split(";"):
        name, _, given = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = given.strip().strip("\"'").lower()[:40]
    return kind.strip().lower()[:100], charset


def retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3: a number or a date), None if there is none."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds()) if text else None
    except (ValueError, TypeError):
        return None


def _validator(value: str) -> str:
    return value if len(value) <= 500 and value.isascii() and value.isprintable() else ""  # noqa: PLR2004 - header sanity
