"""A reader's answers to the test split, as it works in a worker, and what they cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from credit_signals.domain import Prediction, Section, Stance, Subject
from credit_signals.inference.base import Proposer, Reader
from credit_signals.tuning.answers import BASELINE, Answers, Attributes, Bools, Floats
from credit_signals.tuning.baseline import fit_baseline
from credit_signals.tuning.cascade_answers import section_of
from credit_signals.tuning.evaluation.split import TestSplit
from credit_signals.tuning.metrics import gold_codes
from credit_signals.tuning.teacher import CODES, LabelledSentence

BATCH = 16  # sections at once, as workers take them


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers, and why so many sentences were not read (reason -> count)."""

    answers: Answers
    unread: dict[str, int]


def read_split(reader: Reader, split: TestSplit) -> Reading:
    """Read each sentence as a section of its own, its context as heading. Raises ReadFailed.

    The CPU time is that of `read`, loading the model left out. A reader that can tell how likely every code is, is
    asked for that in a second pass, which costs nothing in this account.
    """
    sections = [section_of(sentence) for sentence in split.sentences]
    reader.read(sections[:1])  # pages in the weights
    started = time.process_time()
    predictions = [each for batch in _batches(sections) for each in reader.read(batch)]
    seconds = (time.process_time() - started) / len(sections)
    likely = _proposals(reader, sections) or predictions
    gold = gold_codes(split.sentences)
    stated = [{CODES[column] for column in np.flatnonzero(row)} for row in gold]
    answers = Answers(
        reader_id=reader.id,
        data_hash=split.data_hash,
        cpu_seconds_per_section=seconds,
        ids=tuple(sentence.id for sentence in split.sentences),
        groups=tuple(sentence.group for sentence in split.sentences),
        languages=tuple(sentence.language for sentence in split.sentences),
        gold=gold,
        found=_found(predictions),
        probabilities=_probabilities(likely),
        gold_attributes=gold_attributes(split.sentences),
        attributes=tuple(_attributes(each, wanted) for each, wanted in zip(likely, stated, strict=True)),
    )
    return Reading(answers, dict(Counter(each.unread_reason for each in predictions if each.unread_reason)))


def _batches(sections: Sequence[Section]) -> list[Sequence[Section]]:
    return [sections[start : start + BATCH] for start in range(0, len(sections), BATCH)]


def _proposals(reader: Reader, sections: Sequence[Section]) -> list[Prediction]:
    if not hasattr(reader, "propose"):
        return []
    proposer = cast("Proposer", reader)
    everything = dict.fromkeys(CODES, 0.0)
    return [each for batch in _batches(sections) for each in proposer.propose(batch, everything)]


def _found(predictions: Sequence[Prediction]) -> Bools:
    return np.array([[code in {s.code for s in each.signals} for code in CODES] for each in predictions], dtype=bool)


def _probabilities(predictions: Sequence[Prediction]) -> Floats:
    table = np.zeros((len(predictions), len(CODES)))
    for row, prediction in enumerate(predictions):
        for signal in (*prediction.signals, *prediction.unsure):
            table[row, CODES.index(signal.code)] = signal.confidence
    return table


def _attributes(prediction: Prediction, gold: set[str]) -> Attributes:
    """Stance and subject of what was found, and of gold codes where the reader tells them."""
    told = {each.code: (each.stance, each.subject) for each in (*prediction.signals, *prediction.unsure)}
    found = {each.code for each in prediction.signals if each.margin >= 0}
    return {code: pair for code, pair in told.items() if code in gold or code in found}


def gold_attributes(sentences: Sequence[LabelledSentence]) -> tuple[Attributes, ...]:
    """Stance and subject of the gold signals."""
    return tuple(
        {label.code: (Stance(label.stance), Subject(label.subject)) for label in sentence.labels}
        for sentence in sentences
    )


def baseline_answers(split: TestSplit) -> Answers:
    """The answers of TF-IDF with logistic regression, trained on what the split leaves to learn from."""
    fitted = fit_baseline(split.learned)
    texts = [sentence.text for sentence in split.sentences]
    started = time.process_time()
    logits = np.vstack([fitted.logits(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])
    seconds = (time.process_time() - started) / len(texts)
    return Answers(
        reader_id=BASELINE,
        data_hash=split.data_hash,
        cpu_seconds_per_section=seconds,
        ids=tuple(sentence.id for sentence in split.sentences),
        groups=tuple(sentence.group for sentence in split.sentences),
        languages=tuple(sentence.language for sentence in split.sentences),
        gold=gold_codes(split.sentences),
        found=fitted.calibration.found(logits),
        probabilities=fitted.calibration.probabilities(logits),
        gold_attributes=gold_attributes(split.sentences),
    )
