"""Which date belongs to which block of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from credit_signals.domain import Page
from credit_signals.sections.blocks import PSEUDO_HEADING, Block
from credit_signals.sections.dates.page_date import date_of_page, tells_dates
from credit_signals.sections.dates.written import Stated, date_of_attribute, date_of_text
from credit_signals.sections.zones import Zone

_TITLE_LENGTH = 90  # characters: so short a text may be a title that no markup calls one
_DATED_ZONES = frozenset({Zone.BODY, Zone.MAIN})


def date_blocks(page: Page, blocks: Sequence[Block]) -> list[Block]:
    """The blocks with their dates of publication, where the page is news or an article and states them.

    A date in or above a heading, or below it, dates the text up to the next heading of that level; a text that opens
    with a date dates itself. Where no text is dated, the date of the page's markup or address dates all of it.
    """
    if not tells_dates(page):
        return list(blocks)
    dating = _Dates(page, blocks)
    dates = dating.spread()
    if not any(dates):
        published = date_of_page(page)
        dates = [published if block.zone in _DATED_ZONES else "" for block in blocks]
    dated = [replace(block, published=day) if day else block for block, day in zip(blocks, dates, strict=True)]
    for title in dating.titles_under_dates:
        dated[title - 1], dated[title] = dated[title], dated[title - 1]
    return dated


class _Dates:
    """Spreads the stated dates of a page over its blocks."""

    def __init__(self, page: Page, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._stated = list(_stated(page, blocks))
        self._dates = [""] * len(blocks)
        self._current = ""
        self._until = 0  # a heading of this level or a higher one ends the current date
        self._heading = 0  # level of the last heading
        self._listed = 0  # dated texts under the last heading
        self.titles_under_dates: list[int] = []  # positions of headings; their dates read better below them

    def spread(self) -> list[str]:
        """A date, or empty, for each block."""
        for position, block in enumerate(self._blocks):
            if block.zone not in _DATED_ZONES:
                continue
            if block.level:
                self._at_heading(position, block.level)
            else:
                self._at_text(position)
            self._dates[position] = self._current
        return self._dates

    def _at_heading(self, position: int, level: int) -> None:
        self._heading, self._listed = level, 0
        stated = self._stated[position]
        if stated is None and position and self._opens_next(position - 1):
            stated = self._stated[position - 1]
            self.titles_under_dates.append(position)
        if stated:
            self._current, self._until = stated.iso, level
        elif level <= self._until:
            self._current = ""

    def _at_text(self, position: int) -> None:
        stated = self._stated[position]
        if stated is None or self._current.startswith(stated.iso):  # a day is known better than its month
            return
        self._listed += 1
        self._current = stated.iso
        # a second dated text under one heading makes it a list of posts: no heading continues the last one
        self._until = self._heading if self._heading and self._listed == 1 else PSEUDO_HEADING
        self._date_title(position)

    def _date_title(self, position: int) -> None:
        """Date the heading that a dated text stands under; links such as "Back to News" may stand between."""
        above = position - 1
        while above >= 0 and self._blocks[above].is_only_links and not self._blocks[above].level:
            above -= 1
        if above >= 0 and self._blocks[above].level:
            self._dates[above:position] = [self._current] * (position - above)

    def _opens_next(self, position: int) -> bool:
        """Whether a block is a bare date that stands over the heading after it, not under the heading before."""
        stated = self._stated[position]
        bare = stated is not None and stated.alone and not self._blocks[position].level
        return bare and not (position and self._blocks[position - 1].level)


def _stated(page: Page, blocks: Sequence[Block]) -> Iterator[Stated | None]:
    today = page.fetched_at.date()
    for block in blocks:
        if block.is_only_links:  # a teaser: its date stands beside links to other posts, too
            yield None
            continue
        marked = date_of_attribute(block.datetime, today) if block.datetime else ""
        title = block.level > 0 or len(block.text) <= _TITLE_LENGTH
        written = date_of_text(block.text, today, page.html_lang, title=title)
        if marked:
            yield Stated(marked, alone=written.alone if written else len(block.text) <= len(block.datetime) + 10)
        else:
            yield written
