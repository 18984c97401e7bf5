"""Two readers on the same sentences: the difference in F1, with its interval by a paired bootstrap over documents.

Whole documents are drawn (tuning/resampling.py), the same ones for both readers: what is hard for one is mostly hard
for the other, and the difference is told more surely than either figure.
"""

from __future__ import annotations

import numpy as np

from credit_signals.domain import Comparison, FigureChange
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.answers import Answers, Bools
from credit_signals.tuning.metrics import FEWEST
from credit_signals.tuning.resampling import Resampling, Sums, figure

RESAMPLES = 2000
SEED = 1
LEAST_DOCUMENTS = 20  # with fewer, intervals of a bootstrap are too narrow to be trusted


def compare(candidate: Answers, other: Answers, resamples: int = RESAMPLES, seed: int = SEED) -> Comparison:
    """Micro- and macro-F1 of both, and the 95% interval of the difference; the same input gives the same figures.

    The macro average is over the codes with at least FEWEST gold sentences. Raises ConfigurationError when the answers
    are not to the same sentences with the same gold codes, or when they are too few.
    """
    _require_same(candidate, other)
    draws = Resampling(candidate.groups, seed, resamples)
    count = draws.documents
    gold = candidate.gold.sum(0)
    if count < LEAST_DOCUMENTS or not gold.any():
        raise ConfigurationError(
            f"{count} documents with {gold.sum()} gold codes are too few to compare readers: at least "
            f"{LEAST_DOCUMENTS} documents are needed"
        )
    often = gold >= FEWEST if (gold >= FEWEST).any() else gold > 0
    figures = [_f1s(draws, answers, often) for answers in (candidate, other)]
    changes = [
        _change(name, mine, theirs) for name, mine, theirs in zip(("micro-F1", "macro-F1"), *figures, strict=True)
    ]
    return Comparison(
        other=other.reader_id,
        data_hash=candidate.data_hash,
        sentences=len(candidate.ids),
        documents=count,
        resamples=resamples,
        seed=seed,
        figures=tuple(changes),
        candidate_cost=candidate.cpu_seconds_per_section,
        other_cost=other.cpu_seconds_per_section,
    )


def _require_same(candidate: Answers, other: Answers) -> None:
    if candidate.data_hash != other.data_hash:
        raise ConfigurationError(
            f"readers {candidate.reader_id} and {other.reader_id} answered different splits: "
            f"{candidate.data_hash} and {other.data_hash}"
        )
    if candidate.gold_id != other.gold_id:
        raise ConfigurationError(
            f"the answers of {candidate.reader_id} and {other.reader_id} name the same split {candidate.data_hash}, "
            "but not the same sentences, documents and gold codes in the same order"
        )


def _f1s(draws: Resampling, answers: Answers, often: Bools) -> tuple[Sums, Sums]:
    """Micro- and macro-F1 of each draw."""
    tables = (answers.gold & answers.found, answers.found, answers.gold)
    hits, found, gold = (draws.sums(table) for table in tables)  # each [1 + resamples, C]
    micro = _f1(hits.sum(1), found.sum(1), gold.sum(1))
    macro = _f1(hits[:, often], found[:, often], gold[:, often]).mean(1)
    return micro, macro


def _f1(hits: Sums, found: Sums, gold: Sums) -> Sums:
    """As metrics.f1, for arrays: 0 where nothing is found or to be found."""
    return np.asarray(2 * hits / np.maximum(found + gold, 1))


def _change(name: str, mine: Sums, theirs: Sums) -> FigureChange:
    difference = figure(mine - theirs)
    return FigureChange(
        name=name,
        candidate=round(mine[0], 4),
        other=round(theirs[0], 4),
        low=round(difference.low, 4),
        high=round(difference.high, 4),
    )
