"""Dates as people write them, in English, German, French, Italian and Spanish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

from dateparser.date import DateDataParser

_EARLIEST = 1995  # no page is older than the web
_AHEAD = timedelta(days=31)  # clocks and time zones differ, and some post ahead; later than this is an event to come
_LOOKED_AT = 160  # characters of a text in which its date stands
_YEAR = r"(?:19|20)\d\d"
_MONTH = r"[^\W\d_]{3,10}\.?"
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,? )?"
_DATE = (
    rf"(?P<iso>{_YEAR}-\d\d-\d\d)(?!\d)"
    rf"|(?P<numbers>\d{{1,2}}[./-] ?\d{{1,2}}[./-] ?{_YEAR})(?!\d)"
    rf"|{_WEEKDAY}(?P<words>\d{{1,2}}(?:st|nd|rd|th|er|º|°|\.)?(?: (?:de|of))? {_MONTH},?(?: del?)? {_YEAR}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}|{_MONTH}(?: del?)? {_YEAR})(?!\d)"
)
_SAID = (
    r"(?:(?:first |last )?(?:published|posted|written|updated|date|veröffentlicht|erstellt|eingestellt|datum|stand"
    r"|publiée?|mise? en ligne|pubblicat[oa]|publicad[oa]|data|fecha)[ :]{1,2}(?:on |am |vom |le |il |el )?)?"
)
_BY = r"(?:(?:by|von|par|di|por) [^\n,|·–]{2,40}?(?:, ?| [|·–-] | (?:on|am|le|il|el) |\n))?"
_LABEL = r"(?:[^\n|·–.]{1,40}(?: [|·–-] |\n))?"  # "News | 12 May 2026"
_AT_START = re.compile(rf"(?:{_SAID}{_BY}{_SAID}|{_LABEL}{_SAID})(?:on |am |le |the )?(?:{_DATE})", re.IGNORECASE)
_AT_END = re.compile(rf"[,(|·] ?(?:{_DATE})\)?$", re.IGNORECASE)
# "Company news 19 March 2026 by Ann": a line that only labels a post. A month alone is not enough.
_LINE = re.compile(
    rf"[^\n.!?\d]{{3,30}} (?:{_DATE})(?P<by> by .{{2,40}}| von .{{2,40}}| par .{{2,40}})?$", re.IGNORECASE
)
_LEADS_TO_EVENT = re.compile(
    r"\b(?:on|until|till|by|from|since|before|after|in|am|bis|ab|vom|seit|im|zum|le|du|au|en|depuis|dal|al|il|dopo|el|del"
    r"|desde|hasta)\b",
    re.IGNORECASE,
)
# "12 to 20 May", "5 May 2026 until ...": a span is an event, not a day of publication.
_SPAN = re.compile(
    r"\s*(?:[-–]|to\b|bis\b|until\b|till\b|au\b|al\b|hasta\b)\s*(?:\d|[^\W\d_]{3,10}\.? \d)", re.IGNORECASE
)
_ISO = re.compile(rf"({_YEAR})-(\d\d)-(\d\d)(?!\d)")
_ALONE = 40  # characters beside a date: its author, a label


@dataclass(frozen=True, slots=True)
class Stated:
    """A date that a text states of itself. `alone`: the text says nothing else."""

    iso: str  # YYYY-MM-DD, or YYYY-MM where no day is given
    alone: bool = False


def date_of_text(text: str, today: date, language: str = "", *, title: bool = False) -> Stated | None:
    """The date that a text opens with, or that ends a title; None where there is none, or only a date to come.

    `language` is the page's BCP 47 tag: it says whether 3/4/2026 is a day in March or in April. Where it does not say,
    such a date is no date.
    """
    start = text[:_LOOKED_AT]
    match = _AT_START.match(start) or (_dateline(text) if title else None)
    if match is None or _SPAN.match(start, match.end()):
        return None
    iso = _iso(match["iso"] or "", match["numbers"] or "", match["words"] or "", language)
    if not iso or not is_plausible(iso, today):
        return None
    beside = len(text) - len(match.group()) + match.start()
    rest = text[match.end() :].lstrip(" .,:;|·–-\n")
    return Stated(iso, alone=beside <= _ALONE and "." not in rest)


def _dateline(text: str) -> re.Match[str] | None:
    """The date that ends a title, or stands in the line above or below one."""
    if len(text) > _LOOKED_AT:
        return None
    line = _LINE.match(text)
    return line if line and _labels_a_post(line) else _AT_END.search(text)


def _labels_a_post(line: re.Match[str]) -> bool:
    """Whether a line names a day, and no event that falls on it."""
    written = line["words"] or line["numbers"] or line["iso"]
    names_day = not line["words"] or len(re.findall(r"\d+", written)) == 2  # noqa: PLR2004 - a day and a year
    return names_day and not _LEADS_TO_EVENT.search(line.string[: line.string.index(written)])


def is_written_date(text: str) -> bool:
    """Whether a text is a date in words and nothing else."""
    return bool(_in_words(text.lower()))


def date_of_attribute(value: str, today: date) -> str:
    """The day of a machine-readable date such as a `datetime` attribute; empty where it is none."""
    match = _ISO.match(value.strip())
    iso = match.group() if match else ""
    return iso if iso and is_plausible(iso, today) else ""


def is_plausible(iso: str, today: date) -> bool:
    """Whether a day or month exists, is not before the web and not more than a month ahead."""
    try:
        day = date.fromisoformat(iso if len(iso) > len("YYYY-MM") else f"{iso}-01")
    except ValueError:
        return False
    return day.year >= _EARLIEST and day <= today + _AHEAD


def _iso(iso: str, numbers: str, words: str, language: str) -> str:
    if words:
        return _in_words(" ".join(words.split()).lower())
    return iso or _in_numbers(numbers, language)


def _in_numbers(written: str, language: str) -> str:
    first, second, year = (int(part) for part in re.findall(r"\d+", written))
    if "/" in written and first != second:
        month_first = language.lower() == "en-us"
        if language.lower() == "en" and max(first, second) <= 12:  # noqa: PLR2004 - either may be the month
            return ""
        if month_first or second > 12:  # noqa: PLR2004 - months
            first, second = second, first
    return f"{year:04}-{second:02}-{first:02}"


@cache
def _parser() -> DateDataParser:
    return DateDataParser(
        languages=["en", "de", "fr", "es", "it"],
        settings={
            "REQUIRE_PARTS": ["month", "year"],
            "PREFER_DAY_OF_MONTH": "last",
            "DATE_ORDER": "DMY",
            "PARSERS": ["absolute-time"],
        },
    )


@lru_cache(maxsize=4_096)
def _in_words(written: str) -> str:
    found = _parser().get_date_data(written)
    if found.date_obj is None:
        return ""
    day = found.date_obj.date().isoformat()
    return str(day[: len("YYYY-MM")] if found.period == "month" else day)
