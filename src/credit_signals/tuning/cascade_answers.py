"""What the two readers of a cascade say of labelled sentences, and what it costs to ask them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from credit_signals.domain import PageRole, Section, Sentence
from credit_signals.inference.base import Doubt, Judge, Proposer
from credit_signals.tuning.metrics import Bools, Floats, gold_codes
from credit_signals.tuning.teacher import CODES, LabelledSentence

LEAST_DOUBT = 0.05  # pairs that the first reader gives less than this, or less than this from 1, are never asked about
BATCH = 64  # sentences


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """Both readers' probabilities of n sentences and C codes."""

    gold: Bools  # [n, C]
    first: Floats  # [n, C]
    second: Floats  # [n, C], NaN where it was not asked
    threshold: Floats  # [C], the first reader's own

    def __post_init__(self) -> None:
        """Raises ValueError when the parts do not fit together."""
        if not self.gold.shape == self.first.shape == self.second.shape or self.threshold.shape != self.gold.shape[1:]:
            raise ValueError(f"tables of {self.gold.shape}, {self.first.shape} and {self.second.shape} pairs")


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU time: of the first reader per sentence, of the second per question."""

    sentence_seconds: float
    question_seconds: float


def ask_both(sentences: Sequence[LabelledSentence], first: Proposer, second: Judge) -> tuple[PairTable, Costs]:
    """The answers of both to labelled sentences; the second is asked about what the first leaves any doubt about.

    Raises ReadFailed.
    """
    started = time.process_time()
    likely, threshold = _first_answers(sentences, first)
    between = time.process_time()
    doubtful = np.argwhere((likely >= LEAST_DOUBT) & (likely <= 1 - LEAST_DOUBT))
    doubts = [doubt_of(sentences[row], CODES[code]) for row, code in doubtful]
    shares = second.judge(doubts)
    asked = time.process_time() - between
    told = np.full(likely.shape, np.nan)
    for (row, code), share in zip(doubtful, shares, strict=True):
        told[row, code] = np.nan if share is None else share
    costs = Costs((between - started) / max(1, len(sentences)), asked / max(1, len(doubts)))
    return PairTable(gold_codes(sentences), likely, told, threshold), costs


def doubt_of(sentence: LabelledSentence, code: str) -> Doubt:
    """The question whether a sentence states a code."""
    return Doubt(sentence.context, sentence.text, code, sentence.language)


def section_of(sentence: LabelledSentence) -> Section:
    """A section of this sentence alone, its context as heading: readers see them as in training."""
    return Section.build(
        company_id="labelled",
        url=f"labelled:{sentence.id}",
        role=PageRole.OTHER,
        heading_path=(sentence.context,) if sentence.context else (),
        text=sentence.text,
        sentences=(Sentence(number=1, start=0, end=len(sentence.text)),),
        language=sentence.language,
    )


def _first_answers(sentences: Sequence[LabelledSentence], first: Proposer) -> tuple[Floats, Floats]:
    """Probabilities [n, C] and the reader's own thresholds [C]; a code that it does not know has threshold 1."""
    likely = np.zeros((len(sentences), len(CODES)))
    threshold = np.ones(len(CODES))
    everything = dict.fromkeys(CODES, 0.0)
    for start in range(0, len(sentences), BATCH):
        sections = [section_of(sentence) for sentence in sentences[start : start + BATCH]]
        for row, prediction in enumerate(first.propose(sections, everything), start=start):
            for signal in prediction.signals:
                column = CODES.index(signal.code)
                likely[row, column] = signal.confidence
                threshold[column] = signal.confidence - signal.margin
    return likely, threshold
