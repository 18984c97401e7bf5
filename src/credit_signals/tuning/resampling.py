"""95% intervals: whole documents are drawn with replacement, as sentences of one document are alike.

The bootstrap of Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
LEVEL = 0.95

Sums = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure on the split as it is, with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"

    def percent(self) -> str:
        """The figure as a share of a hundred."""
        return f"{self.value:.1%} ({self.low:.1%}-{self.high:.1%})"

    def as_list(self) -> list[float]:
        """Value, low, high, rounded for a file."""
        return [round(part, 4) for part in (self.value, self.low, self.high)]


class Resampling:
    """Draws of the documents of one split; the first is the split as it is. The same input gives the same draws."""

    def __init__(self, groups: Sequence[str], seed: int = 1, resamples: int = RESAMPLES) -> None:
        numbers: dict[str, int] = {}  # of the documents, from 0, in order of appearance
        self._documents = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)
        self.documents = len(numbers)
        count = max(1, self.documents)
        # how often each document is drawn: whole numbers as floats, whose products are exact and far faster
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
        self._draws = np.vstack([np.ones(count), drawn])

    def sums(self, table: npt.NDArray[Any]) -> Sums:
        """The column sums of a table [n, K] in each draw: [1 + resamples, K]; of a list [n] likewise, K = 1."""
        columns = table.reshape(len(table), -1).astype(np.float64)
        by_document = np.zeros((self._draws.shape[1], columns.shape[1]))
        np.add.at(by_document, self._documents, columns)
        return np.asarray(self._draws @ by_document)

    def ratio(self, part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Figure:
        """Sum of one list over the sum of another; 0 where the latter is 0."""
        return figure(share(self.sums(part)[:, 0], self.sums(whole)[:, 0]))


def share(part: Sums, whole: Sums) -> Sums:
    """A quotient, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def figure(draws: Sums) -> Figure:
    """The figure of a value per draw, the first being that of the split as it is."""
    low, high = np.quantile(draws[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(float(draws[0]), float(low), float(high))
