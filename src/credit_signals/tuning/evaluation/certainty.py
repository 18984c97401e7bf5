"""Whether a reader's probabilities mean what they say, and what leaving out the doubtful brings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from credit_signals.tuning.answers import Answers, Floats
from credit_signals.tuning.resampling import Figure, Resampling, figure, share

BINS = 10
LEAST = 0.05  # pairs below are nearly all rightly near 0 and would only flatter: see metrics.calibration_error
SHARES = tuple(round(1 - 0.05 * step, 2) for step in range(20))  # of sentences answered: 1.00, 0.95, ... 0.05


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs of sentence and code with a probability of one range: its mean, and how many were indeed stated."""

    pairs: int
    told: float
    true: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """`stated_only`: the reader gives a probability only of what it found or left unsure, so the bins hold no other."""

    error: Figure  # expected calibration error
    bins: tuple[ReliabilityBin, ...]  # those that hold pairs, by rising probability
    stated_only: bool


@dataclass(frozen=True, slots=True)
class AbstentionPoint:
    """When the surest `answered` of the sentences are answered, so many are wholly right: all codes, none other."""

    answered: float
    accuracy: float


def reliability(answers: Answers, draws: Resampling) -> Reliability | None:
    """Calibration over (sentence, code) pairs with a probability above 0.05, in ten equal bins; None without any."""
    told = answers.probabilities
    if told is None or not (told > LEAST).any():
        return None
    place = np.where(told > LEAST, np.minimum((told * BINS).astype(int), BINS - 1), -1)
    count, sums, true = (
        np.stack([draws.sums(table * (place == each)).sum(1) for each in range(BINS)], axis=1)
        for table in (np.ones_like(told), told, answers.gold)
    )  # each [draws, bins]
    error = share(np.abs(sums - true).sum(1), count.sum(1))
    pairs, mean, stated = count[0], share(sums[0], count[0]), share(true[0], count[0])
    held = np.flatnonzero(pairs)
    bins = tuple(ReliabilityBin(int(pairs[each]), float(mean[each]), float(stated[each])) for each in held)
    return Reliability(figure(error), bins, stated_only=not told[~answers.found].max(initial=0.0) > 0)


def abstention(answers: Answers) -> tuple[AbstentionPoint, ...]:
    """The accuracy of the surest sentences, for falling shares of them; nothing without probabilities.

    A sentence is as sure as all its decisions together: the product of P(code) of what was found and of 1 - P(code) of
    what was not. One that was not read has no probabilities at all and is the least sure. Sentences of equal sureness
    are ranked by chance of their order, so the curve is that of their mean.
    """
    told = answers.probabilities
    if told is None or not len(told):
        return ()
    right = (answers.gold == answers.found).all(1)
    return tuple(AbstentionPoint(part, _accuracy(_sureness(answers, told), right, part)) for part in SHARES)


def _sureness(answers: Answers, told: Floats) -> Floats:
    decided = np.clip(np.where(answers.found, told, 1 - told), 1e-9, 1.0)
    unread = ~told.any(1) & told[~answers.found].any()  # a reader that tells only what it states leaves silence at 0
    return np.asarray(np.where(unread, -np.inf, np.log(decided).sum(1)))


def _accuracy(sureness: Floats, right: np.ndarray, part: float) -> float:
    """The mean accuracy of the surest part, those on its edge counting in proportion."""
    kept = max(1, round(part * len(right)))
    edge = np.sort(sureness)[::-1][kept - 1]
    above, equal = sureness > edge, sureness == edge
    return float((right[above].sum() + right[equal].mean() * (kept - above.sum())) / kept)
