"""Training rows of the product's questions: short sections of labelled sentences, and what a reader would be asked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from credit_signals.errors import ConfigurationError
from credit_signals.inference.prompting import (
    MOST_SENTENCES,
    Piece,
    instruction_pieces,
    question_pieces,
    section_pieces,
    sentence_text,
)
from credit_signals.inference.questions import Details, Event, Questions
from credit_signals.tuning.chat import ChatRow, Message
from credit_signals.tuning.teacher import Label, LabelledSentence, Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class RowSettings:
    """How rows are made. `negatives`: questions answered no, of groups and of events each, in a section."""

    seed: int = 1
    negatives: int = 3
    longest: int = 4  # sentences in a section
    alone: float = 0.5  # share of sections of one sentence


@dataclass(frozen=True, slots=True)
class _Stated:
    place: int  # of the first sentence that states it, from 1
    label: Label


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    prompt: str
    answer: str


def make_rows(sentences: Sequence[LabelledSentence], questions: Questions, settings: RowSettings) -> Iterator[ChatRow]:
    """Rows of all splits. A section takes sentences of one split only, so documents never leak.

    Asked are: every group that a sentence states and `negatives` others; every event that is stated and `negatives`
    others, first of the groups that are there, since these are asked when it serves; and the details of what is stated.
    The heading is the context of the first sentence. Same sentences and settings, same rows.
    Raises ConfigurationError when a section could hold more sentences than can be numbered.
    """
    if not 1 <= settings.longest <= MOST_SENTENCES:
        raise ConfigurationError(f"sections of {settings.longest} sentences: from 1 to {MOST_SENTENCES} are possible")
    for split in SPLITS:
        dice = random.Random(f"{settings.seed}/{split}")  # noqa: S311  # a choice of examples, not a secret
        kept = [sentence for sentence in sentences if sentence.split(settings.seed) == split]
        for number, section in enumerate(_sections(kept, settings, dice), start=1):
            asked = _interview(section, questions, settings, dice)
            yield from _section_rows(split, number, section, asked, questions)


def _sections(
    sentences: Sequence[LabelledSentence], settings: RowSettings, dice: random.Random
) -> Iterator[list[LabelledSentence]]:
    """Sentences of the same language and manner, drawn together."""
    kinds: dict[tuple[str, bool], list[LabelledSentence]] = {}
    for sentence in sentences:
        kinds.setdefault((sentence.language, sentence.from_website), []).append(sentence)
    for kind in sorted(kinds):
        left = kinds[kind]
        dice.shuffle(left)
        while left:
            size = 1 if settings.longest == 1 or dice.random() < settings.alone else dice.randint(2, settings.longest)
            yield left[:size]
            left = left[size:]


def _section_rows(
    split: Split, number: int, section: Sequence[LabelledSentence], asked: Sequence[_Asked], questions: Questions
) -> Iterator[ChatRow]:
    template = questions.template
    start = instruction_pieces(template)
    texts = [sentence_text(sentence.text) for sentence in section]
    shown = section_pieces(template, [section[0].context] if section[0].context else [], texts)
    for question in asked:
        asked_pieces = question_pieces(template, question.prompt)
        messages = (
            Message(role="system", content=_text(start)),
            Message(role="user", content=_text([*shown, *asked_pieces])),
            Message(role="assistant", content=question.answer),
        )
        yield ChatRow(
            id=f"{split}-{number}-{section[0].id}/{question.name}",
            group=section[0].group,
            split=split,
            messages=messages,
            pieces=tuple((piece.text, piece.special) for piece in [*start, *shown, *asked_pieces] if piece.text),
        )


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _interview(
    section: Sequence[LabelledSentence], questions: Questions, settings: RowSettings, dice: random.Random
) -> list[_Asked]:
    stated: dict[str, _Stated] = {}
    for place, sentence in enumerate(section, start=1):
        for label in sentence.labels:
            stated.setdefault(label.code, _Stated(place, label))
    groups, events = _chosen(questions, set(stated), settings.negatives, dice)
    judged = questions.details.judgement.labels
    asked = [
        _Asked(f"group-{number}", questions.groups[number].prompt, judged["yes" if there else "no"])
        for number, there in groups
    ]
    for event in events:
        found = stated.get(event.code)
        asked.append(_Asked(event.code, event.prompt, judged["yes" if found else "no"]))
        if found:
            asked += _details(event, found, questions.details, len(section))
    return asked


def _chosen(
    questions: Questions, stated: set[str], negatives: int, dice: random.Random
) -> tuple[list[tuple[int, bool]], list[Event]]:
    """Numbers of the groups to ask, and whether one of their events is stated; and the events to ask."""
    there = [number for number, group in enumerate(questions.groups) if any(e.code in stated for e in group.event)]
    others = [number for number in range(len(questions.groups)) if number not in there]
    groups = [(number, True) for number in there]
    groups += [(number, False) for number in dice.sample(others, min(negatives, len(others)))]
    events = [event for group in questions.groups for event in group.event]
    beside = [event for number in there for event in questions.groups[number].event if event.code not in stated]
    apart = [event for event in events if event.code not in stated and event not in beside]
    dice.shuffle(beside)
    dice.shuffle(apart)
    return groups, [event for event in events if event.code in stated] + [*beside, *apart][:negatives]


def _details(event: Event, found: _Stated, details: Details, sentences: int) -> Iterator[_Asked]:
    label = found.label
    if sentences > 1:
        prompt = details.sentence.prompt.replace("{event}", event.event)
        yield _Asked(f"{event.code}/sentence", prompt, details.sentence.written(found.place))
    for name, value in (("stance", label.stance), ("subject", label.subject), ("severity", str(label.severity))):
        table = getattr(details, name)
        yield _Asked(f"{event.code}/{name}", table.prompt.replace("{event}", event.event), table.labels[value])
