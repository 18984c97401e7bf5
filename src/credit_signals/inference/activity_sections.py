"""Which sections are asked for a business activity, and which sentence is quoted for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from credit_signals.domain import FoundActivity, PageRole, Section
from credit_signals.inference.activity import ActivityFinder
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import Floats
from credit_signals.inference.sentences import has_letters

# how much more similar than usual a section must be to a description of an activity, by the role of its page;
# pages of other roles speak of people, posts and terms, and are not asked
ACTIVITY_BAR: dict[PageRole, float] = {
    PageRole.HOME: 0.0,
    PageRole.ABOUT: 0.0,
    PageRole.PRODUCTS: 0.0,
    PageRole.IMPRINT: 0.05,
    PageRole.OTHER: 0.05,
}
LEAST_LETTERS = 20  # a section with fewer letters says nothing of an activity
MOST_SENTENCES = 8  # sentences that are looked at for the quote


def find_activities(
    finder: ActivityFinder, encoder: Encoder, sections: Sequence[Section]
) -> dict[int, tuple[FoundActivity, ...]]:
    """By row, the activities of the sections that tell one, each with the sentence nearest to it.

    Equal texts are embedded once. Raises ReadFailed.
    """
    asked = {row: _text(section) for row, section in enumerate(sections) if _may_tell(section)}
    of_text = _embed(encoder, asked.values())
    found = {
        row: activities
        for row, text in asked.items()
        if (activities := finder.find(of_text[text], text, ACTIVITY_BAR[sections[row].role]))
    }
    sentences = {row: _sentences(sections[row]) for row in found}
    of_sentence = _embed(encoder, (text for some in sentences.values() if len(some) > 1 for text in some.values()))
    return {
        row: tuple(activity.model_copy(update={"sentences": (number,)}) for activity in activities)
        for row, activities in found.items()
        if (number := _nearest(finder, activities, sentences[row], of_sentence))
    }


def _embed(encoder: Encoder, texts: Iterable[str]) -> dict[str, Floats]:
    distinct = list(dict.fromkeys(texts))
    return dict(zip(distinct, encoder.embed(distinct), strict=True))


def _may_tell(section: Section) -> bool:
    return section.role in ACTIVITY_BAR and sum(map(str.isalpha, section.text)) >= LEAST_LETTERS


def _text(section: Section) -> str:
    heading = section.heading_path[-1] if section.heading_path else ""
    return f"{heading}. {section.text}" if heading else section.text


def _sentences(section: Section) -> dict[int, str]:
    """The first readable sentences, by number."""
    texts = {sentence.number: section.quote(sentence.start, sentence.end) for sentence in section.sentences}
    readable = {number: text for number, text in texts.items() if has_letters(text)}
    return dict(list(readable.items())[:MOST_SENTENCES])


def _nearest(
    finder: ActivityFinder, found: Sequence[FoundActivity], sentences: dict[int, str], embeddings: dict[str, Floats]
) -> int:
    """The number of the sentence nearest to the most probable code; 0 when there is no sentence."""
    numbers = list(sentences)
    if len(numbers) < 2:  # noqa: PLR2004  # nothing to choose from
        return numbers[0] if numbers else 0
    return numbers[finder.nearest(found, np.stack([embeddings[text] for text in sentences.values()]))]
