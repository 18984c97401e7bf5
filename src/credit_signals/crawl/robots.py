"""robots.txt by RFC 9309."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from credit_signals.domain import Fetch, FetchStatus

MAX_BYTES = 500 * 1024  # RFC 9309, 2.5: at least this much is parsed; the rest is not read
ANSWERED = {FetchStatus.OK, FetchStatus.NOT_MODIFIED}
TOO_MANY_REQUESTS = 429
MAX_SITEMAPS = 10


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What one origin's robots.txt says to us. `refusal` is not empty: nothing may be fetched, and why."""

    token: str
    parser: Protego | None = None
    refusal: str = ""

    def allows(self, url: str) -> bool:
        """Whether a URL of this origin may be fetched."""
        if self.refusal:
            return False
        return self.parser is None or self.parser.can_fetch(url, self.token)

    @property
    def delay(self) -> float:
        """Seconds between requests that it asks for (Crawl-delay or Request-rate), 0 if it does not."""
        if self.parser is None:
            return 0.0
        rate = self.parser.request_rate(self.token)
        by_rate = rate.seconds / rate.requests if rate and rate.requests else 0.0
        return max(0.0, float(self.parser.crawl_delay(self.token) or 0.0), by_rate)

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps it names, the first ten."""
        if self.parser is None:
            return []
        return [url for _, url in zip(range(MAX_SITEMAPS), self.parser.sitemaps, strict=False)]


def read_robots(fetch: Fetch, body: bytes, token: str) -> RobotsRules:
    """The rules behind the outcome of asking for robots.txt (RFC 9309, 2.3.1).

    Unavailable (4xx, or more than five redirects) allows all; unreachable (5xx, 429, no connection) allows nothing.
    HTML or rubbish instead of rules has no rules in it and allows all.
    """
    if fetch.status in ANSWERED:
        return RobotsRules(token, parse_robots(body))
    status = fetch.http_status or 0
    client_error = fetch.status is FetchStatus.HTTP_ERROR and status < 500 and status != TOO_MANY_REQUESTS  # noqa: PLR2004 - HTTP classes
    if client_error or fetch.status is FetchStatus.REDIRECT_LOOP:
        return RobotsRules(token)
    said = f"answers {status}" if fetch.status is FetchStatus.HTTP_ERROR else f"has no answer ({fetch.status.value})"
    return RobotsRules(token, refusal=f"robots.txt {said}")


def parse_robots(body: bytes) -> Protego:
    """Parse the first 500 KiB, whatever they are."""
    return Protego.parse(body[:MAX_BYTES].decode("utf-8-sig", "replace"))
