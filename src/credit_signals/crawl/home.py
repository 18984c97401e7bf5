"""Where a company's site may start: the listed URL, and what to try when it cannot be reached."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from credit_signals.crawl.urls import canonical_url, registrable_domain
from credit_signals.domain import Company, FetchStatus
from credit_signals.errors import FetchError

# A home page that leads here has become a profile on somebody else's site.
PLATFORMS = {
    "facebook.com", "instagram.com", "linkedin.com", "x.com", "twitter.com", "youtube.com", "google.com", "tiktok.com",
    "wa.me", "linktr.ee", "etsy.com", "ebay.com", "amazon.com", "yelp.com", "tripadvisor.com", "xing.com",
}  # fmt: skip


def start_url(company: Company) -> str:
    """The company's home page as asked for first. Raises FetchError when it cannot be requested.

    A URL with user or password is not requested; the plain domain is tried instead.
    """
    url = canonical_url(company.url) or canonical_url(f"https://{company.domain}/")
    if url is None:
        raise FetchError(company.id, FetchStatus.BAD_CONTENT, "the company has no URL that can be requested")
    return url


def start_urls(company: Company) -> set[str]:
    """All URLs that may stand for the home page: with and without TLS, with and without `www.`."""
    first = start_url(company)
    forms = {first, _with(first, scheme="http")}
    return forms | {form for url in forms if (form := _with_www(url))}


def next_start(url: str, status: FetchStatus) -> str | None:
    """What to try when a home page fails: the name with `www.` without an address, plain http without a connection."""
    parts = urlsplit(url)
    if status is FetchStatus.DNS_ERROR:
        return _with_www(url)
    failed_connection = status in {FetchStatus.CONNECT_ERROR, FetchStatus.TLS_ERROR, FetchStatus.TIMEOUT}
    if failed_connection and parts.scheme == "https" and parts.port is None:
        return _with(url, scheme="http")
    return None


def is_platform(url: str) -> bool:
    """Whether a URL lies on a platform that hosts profiles of companies."""
    return registrable_domain(urlsplit(url).hostname or "") in PLATFORMS


def _with(url: str, scheme: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ""))


def _with_www(url: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host != registrable_domain(host) or "." not in host or host.replace(".", "").isdigit() or ":" in host:
        return None
    return urlunsplit((parts.scheme, f"www.{parts.netloc}", parts.path, parts.query, ""))
