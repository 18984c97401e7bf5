"""Quotes inside their section, cut for display; offsets are checked before anything is shown."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.domain import Evidence, Section

CONTEXT = 220
"""Characters of the section shown on either side of a quote."""
LONGEST_QUOTE = 1_500


@dataclass(frozen=True, slots=True)
class Passage:
    """A quote with what stands around it. `located` is false when the stored section does not hold the quote."""

    before: str
    quote: str
    after: str
    headings: tuple[str, ...] = ()
    language: str = ""
    located: bool = True


def passage(evidence: Evidence, section: Section | None) -> Passage:
    """Cut the surroundings of a quote out of its section, at word boundaries."""
    if section is None or section.text[evidence.start : evidence.end] != evidence.quote:
        return Passage("", _cut(evidence.quote), "", located=False)
    return Passage(
        before=_tail(section.text[: evidence.start]),
        quote=_cut(evidence.quote),
        after=_head(section.text[evidence.end :]),
        headings=section.heading_path,
        language=section.language,
    )


def _cut(quote: str) -> str:
    return quote if len(quote) <= LONGEST_QUOTE else quote[:LONGEST_QUOTE] + " […]"


def _tail(text: str) -> str:
    if len(text) <= CONTEXT:
        return text
    kept = text[-CONTEXT:]
    return "… " + (kept.split(maxsplit=1)[-1] if " " in kept else kept)


def _head(text: str) -> str:
    if len(text) <= CONTEXT:
        return text
    kept = text[:CONTEXT]
    return (kept.rsplit(maxsplit=1)[0] if " " in kept else kept) + " …"
