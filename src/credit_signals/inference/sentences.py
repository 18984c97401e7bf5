"""The sentences of a section that can be read, each with what stands before it."""

from __future__ import annotations

from credit_signals.domain import Section

InContext = tuple[str, str]  # context and text of a sentence


def has_letters(text: str) -> bool:
    """Whether there is anything to read."""
    return any(map(str.isalpha, text))


def in_context(section: Section) -> dict[int, InContext]:
    """By number, each readable sentence with the one before it, the first with its heading."""
    found: dict[int, InContext] = {}
    before = section.heading_path[-1] if section.heading_path else ""
    for sentence in section.sentences:
        text = section.quote(sentence.start, sentence.end)
        if has_letters(text):
            found[sentence.number] = (before, text)
            before = text
    return found
