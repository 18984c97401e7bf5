"""From plain text to sections, for text that comes from no web page. The text is taken as it is, so offsets hold."""

from __future__ import annotations

from credit_signals.domain import PageRole, Section, Sentence
from credit_signals.sections.language import detect_language
from credit_signals.sections.sentences import sentence_spans

_LONGEST = 1_200  # characters of a section: a reader's window holds it


def split_text(name: str, text: str, language_hint: str = "en", context: str = "") -> list[tuple[int, Section]]:
    """Sections of a text and where each starts in it; `context` is what stood before, such as its heading.

    The role is ABOUT: a text handed over by itself is taken to speak of its company.
    """
    language = detect_language(text, language_hint)
    groups: list[list[tuple[int, int]]] = []
    for start, end in sentence_spans(text, language):
        if groups and end - groups[-1][0][0] <= _LONGEST:
            groups[-1].append((start, end))
        else:
            groups.append([(start, end)])
    return [_section(name, text, group, language, context) for group in groups]


def _section(name: str, text: str, spans: list[tuple[int, int]], language: str, context: str) -> tuple[int, Section]:
    first, last = spans[0][0], spans[-1][1]
    numbered = enumerate(spans, start=1)
    section = Section.build(
        company_id=name,
        url="",
        role=PageRole.ABOUT,
        heading_path=(context,) if context else (),
        text=text[first:last],
        sentences=tuple(Sentence(number=number, start=a - first, end=b - first) for number, (a, b) in numbered),
        language=language,
    )
    return first, section
