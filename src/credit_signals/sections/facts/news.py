"""Whether a site's news ended long ago."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from credit_signals.domain import Page, Section, SiteFact

_STALE_MONTHS = 18
_LEAST_DATES = 2  # one old notice is no news column that ended


def stale_news(pages: Sequence[Page], sections: Sequence[Section]) -> list[SiteFact]:
    """`stale_news`, with the newest date, if a site dates at least two texts and none is of the last 18 months."""
    dated = [(section.published, section.url) for section in sections if section.published]
    if len({day for day, _ in dated}) < _LEAST_DATES:
        return []
    newest, url = max(dated)
    today = max(page.fetched_at for page in pages).date()
    if _months_between(newest, today) < _STALE_MONTHS:
        return []
    return [SiteFact(key="stale_news", value=newest, url=url, source="news")]


def _months_between(iso: str, today: date) -> int:
    year, month, *_ = (int(part) for part in iso.split("-"))
    return (today.year - year) * 12 + today.month - month
