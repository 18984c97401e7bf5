"""Two readers on the same sentences: the difference in F1, with its interval by a paired bootstrap over documents.

Sentences of one document are alike, so whole documents are drawn (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapters 8 and 13), the same ones for both readers: what is hard for one is mostly hard for the other,
and the difference is told more surely than either figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from credit_signals.domain import Comparison, FigureChange
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.answers import Answers, Bools
from credit_signals.tuning.metrics import FEWEST

RESAMPLES = 2000
SEED = 1
LEVEL = 0.95
LEAST_DOCUMENTS = 20  # with fewer, intervals of a bootstrap are too narrow to be trusted

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]


def compare(candidate: Answers, other: Answers, resamples: int = RESAMPLES, seed: int = SEED) -> Comparison:
    """Micro- and macro-F1 of both, and the 95% interval of the difference; the same input gives the same figures.

    The macro average is over the codes with at least FEWEST gold sentences. Raises ConfigurationError when the answers
    are not to the same sentences with the same gold codes, or when they are too few.
    """
    _require_same(candidate, other)
    documents = document_numbers(candidate.groups)
    count = int(documents.max(initial=-1)) + 1
    gold = candidate.gold.sum(0)
    if count < LEAST_DOCUMENTS or not gold.any():
        raise ConfigurationError(
            f"{count} documents with {gold.sum()} gold codes are too few to compare readers: at least "
            f"{LEAST_DOCUMENTS} documents are needed"
        )
    often = gold >= FEWEST if (gold >= FEWEST).any() else gold > 0
    # how often each document is drawn, with the split as it is in the first row: [1 + resamples, documents]; whole
    # numbers as floats, whose products are exact and far faster
    resampled = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    draws: Floats = np.vstack([np.ones(count), resampled])
    figures = [_f1s(draws, _counts(answers, documents, count), often) for answers in (candidate, other)]
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


def document_numbers(groups: Sequence[str]) -> Counts:
    """The number of each sentence's document, from 0, in order of appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)


def _counts(answers: Answers, documents: Counts, count: int) -> Floats:
    """Hits, found and gold of each document and code, [3, documents, C]."""
    return np.stack(
        [_by_document(table, documents, count) for table in (answers.gold & answers.found, answers.found, answers.gold)]
    )


def _by_document(table: Bools, documents: Counts, count: int) -> Floats:
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, documents, table)
    return sums


def _f1s(draws: Floats, counts: Floats, often: Bools) -> tuple[Floats, Floats]:
    """Micro- and macro-F1 of each draw."""
    hits, found, gold = (draws @ table for table in counts)  # each [draws, C]
    micro = _f1(hits.sum(1), found.sum(1), gold.sum(1))
    macro = _f1(hits[:, often], found[:, often], gold[:, often]).mean(1)
    return micro, macro


def _f1(hits: Floats, found: Floats, gold: Floats) -> Floats:
    """As metrics.f1, for arrays: 0 where nothing is found or to be found."""
    return np.asarray(2 * hits / np.maximum(found + gold, 1))


def _change(name: str, mine: Floats, theirs: Floats) -> FigureChange:
    low, high = np.quantile((mine - theirs)[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return FigureChange(
        name=name, candidate=round(mine[0], 4), other=round(theirs[0], 4), low=round(low, 4), high=round(high, 4)
    )
