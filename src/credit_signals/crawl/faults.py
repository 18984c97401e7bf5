"""What a site's condition tells without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from credit_signals.crawl.roles import classify_role
from credit_signals.crawl.site import READABLE, TELLING_ROLES
from credit_signals.crawl.urls import registrable_domain
from credit_signals.crawl.verdict import home_fetch, judge_site, parse_tree, take_visible_text
from credit_signals.domain import Company, Fetch, FetchStatus, Page, SiteFact, SiteStatus

GONE = {404, 410}
STALE_YEARS = 3
OLDEST_YEAR = 1990
MAX_TEXT = 200_000  # characters of a page looked at
YEAR = r"(?:19|20)\d\d"
DASH = r"(?:-|\u2013|\u2014|/|to|bis)"
COPYRIGHT = re.compile(
    rf"(?:©|\(c\)|\bcopyright\b|\bcopr\.)[^.|]{{0,60}}?\b({YEAR})\b(?:\s*{DASH}\s*((?:19|20)?\d\d)\b)?|"
    rf"\b({YEAR})\b(?:\s*{DASH}\s*({YEAR})\b)?\s*(?:©|\(c\)|copyright)",
    re.IGNORECASE,
)


def site_faults(
    company: Company, fetches: Sequence[Fetch], pages: Sequence[Page], previous_fetches: Sequence[Fetch] = ()
) -> list[SiteFact]:
    """Faults of a site: parked, unreachable, tls_failure, vanished_page, stale_copyright.

    `previous_fetches`: the answers of an earlier crawl, without which nothing can have vanished.
    """
    facts = [*_status_facts(company, fetches, pages), *_tls_facts(company, fetches)]
    facts += _vanished(fetches, previous_fetches)
    return [*facts, *_stale_copyright(pages, _this_year(pages))]


def _status_facts(company: Company, fetches: Sequence[Fetch], pages: Sequence[Page]) -> list[SiteFact]:
    status, reason = judge_site(company, fetches, pages)
    home = home_fetch(company, fetches)
    url = home.url if home else company.url
    if status is SiteStatus.PARKED:
        return [SiteFact(key="parked", value=reason, url=url, source="crawl")]
    if status is SiteStatus.UNREACHABLE:
        return [SiteFact(key="unreachable", value=reason, url=url, source="crawl")]
    return []


def _tls_facts(company: Company, fetches: Sequence[Fetch]) -> list[SiteFact]:
    """One fact, if the company's own host failed a TLS handshake."""
    own = registrable_domain(urlsplit(company.url).hostname or "")
    for fetch in fetches:
        if fetch.status is FetchStatus.TLS_ERROR and registrable_domain(urlsplit(fetch.url).hostname or "") == own:
            return [SiteFact(key="tls_failure", value=fetch.reason, url=fetch.url, source="crawl")]
    return []


def _vanished(fetches: Sequence[Fetch], previous: Sequence[Fetch]) -> list[SiteFact]:
    gone = {fetch.url: fetch for fetch in fetches if fetch.http_status in GONE}
    facts = []
    for before in previous:
        role = classify_role(before.url)
        if before.status in READABLE and before.url in gone and role in TELLING_ROLES:
            value = f"the {role.value} page answers {gone[before.url].http_status}"
            facts.append(SiteFact(key="vanished_page", value=value, url=before.url, source="crawl"))
    return facts


def _stale_copyright(pages: Sequence[Page], year: int) -> list[SiteFact]:
    """The newest copyright year of the whole site, if it is at least three years old."""
    newest, where = 0, ""
    for page in pages:
        if "20" not in page.html and "19" not in page.html:
            continue
        found = newest_copyright_year(_text(page), year)
        if found > newest:
            newest, where = found, page.url
    if newest and newest <= year - STALE_YEARS:
        return [SiteFact(key="stale_copyright", value=str(newest), url=where, source="footer")]
    return []


def newest_copyright_year(text: str, this_year: int) -> int:
    """The newest year named beside a copyright sign, 0 if there is none; years in the future do not count."""
    years = [_full_year(group) for match in COPYRIGHT.finditer(text) for group in match.groups() if group]
    return max((year for year in years if OLDEST_YEAR <= year <= this_year), default=0)


def _full_year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else 2000 + int(digits)  # noqa: PLR2004 - "2019-21"


def _text(page: Page) -> str:
    root = parse_tree(page.html)
    text = take_visible_text(root) if root is not None else ""
    # a hostile page is all copyright signs; a year stands at the top or the bottom
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT // 2]} {text[-MAX_TEXT // 2 :]}"


def _this_year(pages: Sequence[Page]) -> int:
    return max((page.fetched_at for page in pages), default=datetime.now(UTC)).year
