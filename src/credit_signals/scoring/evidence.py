"""From sentence numbers to verbatim quotes."""

from __future__ import annotations

from collections.abc import Sequence

from credit_signals.domain import Evidence, Section


def evidence_of(section: Section, numbers: Sequence[int]) -> Evidence | None:
    """The quote from the first to the last of the numbered sentences; None when the section has no such sentence.

    `section.text[start:end] == quote` holds by construction.
    """
    chosen = [sentence for sentence in section.sentences if sentence.number in set(numbers)]
    if not chosen:
        return None
    start, end = min(sentence.start for sentence in chosen), max(sentence.end for sentence in chosen)
    return Evidence(
        url=section.url,
        section_id=section.id,
        sentences=tuple(sentence.number for sentence in chosen),
        start=start,
        end=end,
        quote=section.text[start:end],
    )
