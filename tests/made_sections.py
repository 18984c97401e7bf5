"""Sections for tests that need many."""

from __future__ import annotations

from collections.abc import Iterable

from credit_signals.domain import PageRole, Section, Sentence

HOME = "http://one.example/"


def section_of(sentences: Iterable[str]) -> Section:
    """An English section of news of the company `one`, with these sentences."""
    text, spans = "", []
    for number, sentence in enumerate(sentences, start=1):
        spans.append(Sentence(number=number, start=len(text), end=len(text) + len(sentence)))
        text += sentence + " "
    return Section.build(
        company_id="one", url=HOME, role=PageRole.NEWS, text=text.rstrip(), sentences=tuple(spans), language="en"
    )
