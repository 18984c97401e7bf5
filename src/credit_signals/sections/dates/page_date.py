"""The date of publication that a page's markup or address states of the whole page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

from trafilatura.metadata import extract_metadata

from credit_signals.domain import Page, PageRole
from credit_signals.sections.dates.written import is_plausible
from credit_signals.sections.text import clean_markup

# Programs that write sites date every page; only these marks say that the page is an article.
_ARTICLE = re.compile(
    r"article:published_time|\"(?:\w{0,20}Article|BlogPosting)\"|schema\.org/(?:\w{0,20}Article|BlogPosting)\b"
)
_DATED = re.compile(r"article:published_time|datePublished|<time\b|\bDC\.date|\bpubdate\b|\"date\"", re.IGNORECASE)
_IN_PATH = re.compile(r"/((?:19|20)\d\d)[/-](0[1-9]|1[0-2])(?:[/-](0[1-9]|[12]\d|3[01])(?!\d))?(?=[/_-])")
_NEVER_ARTICLES = frozenset({PageRole.HOME, PageRole.IMPRINT, PageRole.LEGAL, PageRole.CONTACT, PageRole.PRODUCTS})
_AHEAD = timedelta(days=31)


def tells_dates(page: Page) -> bool:
    """Whether the dates on a page are dates of publication: it is news, or marked as an article."""
    if page.role is PageRole.NEWS:
        return True
    if page.role in _NEVER_ARTICLES:
        return False
    return bool(_IN_PATH.search(urlsplit(page.url).path) or _ARTICLE.search(page.html))


def date_of_page(page: Page) -> str:
    """The day (or month, from an address) on which a page says it was published; empty where it does not say."""
    today = page.fetched_at.date()
    if _DATED.search(page.html):
        found = extract_metadata(
            clean_markup(page.html),
            default_url=page.url,
            date_config={"original_date": True, "extensive_search": False, "max_date": _latest(today)},
        ).date
        if found and is_plausible(found, today):
            return str(found)
    match = _IN_PATH.search(urlsplit(page.url).path)
    if match is None:
        return ""
    iso = "-".join(part for part in match.groups() if part)
    return iso if is_plausible(iso, today) else ""


def _latest(today: date) -> str:
    return (today + _AHEAD).isoformat()
