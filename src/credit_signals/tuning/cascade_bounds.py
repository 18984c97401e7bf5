"""Which pairs of sentence and code are worth a question: bounds for each code, chosen from a cost curve.

Bounds lie around the first reader's own threshold, so that without any question the cascade is that reader. For a price
of a question, the bounds with the best F1 less that price are found exactly: F1 is a ratio of sums over the codes
(Dinkelbach's method). Falling prices give the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from credit_signals.inference.cascade import EDGE
from credit_signals.inference.manifest import Blend, Bounds
from credit_signals.tuning.cascade_answers import LEAST_DOUBT, Costs, PairTable
from credit_signals.tuning.metrics import FEWEST, Bools, Floats, f1, sigmoid
from credit_signals.tuning.teacher import CODES

SHARES = (0.0, 0.15, 0.3, 0.5, 0.7, 0.9)  # of the way from a threshold to 0, and to 1, that bounds may reach
PRICES = (0.0, *np.geomspace(1e-4, 2.0, 40))  # of a question, in units of a found signal
ROUNDS = 50
RIDGE = 1e-2
SECTION_SENTENCES = 10  # of a usual section


@dataclass(frozen=True, slots=True)
class Rules:
    """How pairs are settled; see inference.manifest.CascadeManifest. Codes without bounds are not asked about."""

    bounds: dict[str, Bounds]
    blend: Blend
    least_margin: float


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What some bounds cost and bring."""

    bounds: dict[str, Bounds]
    asked: float  # questions per section of SECTION_SENTENCES
    share: float  # of all pairs
    unsure: float  # statements left unsure, per section
    precision: float
    recall: float
    micro_f1: float
    cpu_seconds: float  # per section

    def figures(self) -> dict[str, Any]:
        """Everything as JSON values."""
        numbers = {name: round(float(getattr(self, name)), 6) for name in self.__slots__ if name != "bounds"}
        return numbers | {"bounds": {code: each.model_dump() for code, each in self.bounds.items()}}


def fit_blend(table: PairTable) -> Blend:
    """How both readers' log-odds are weighed, by logistic regression over the pairs that both answered.

    A first reader that is calibrated, and a second that knows nothing, give first 1, second 0 and shift 0.
    """
    both = ~np.isnan(table.second)
    gold = table.gold[both].astype(np.float64)
    features = np.stack([_odds(table.first[both]), _odds(table.second[both]), np.ones(len(gold))], axis=1)
    weights = start = np.array([1.0, 0.0, 0.0])
    for _ in range(ROUNDS):
        told = sigmoid(features @ weights)
        slope = features.T @ (told - gold) + RIDGE * (weights - start)
        curve = (features * (told * (1 - told))[:, None]).T @ features + RIDGE * np.eye(3)
        weights = weights - np.clip(np.linalg.solve(curve, slope), -1, 1)
    first, second, shift = (float(weight) for weight in weights)
    return Blend(first=first, second=second, shift=shift)


def told_apart(table: PairTable, blend: Blend) -> dict[str, float]:
    """How well the pairs that both answered are told apart: 0.5 by chance, 1 for ever (area under the ROC curve).

    Of the first reader, the second, and both blended; `pairs` is how many there are.
    """
    both = ~np.isnan(table.second)
    gold = table.gold[both]
    first, second = _odds(table.first[both]), _odds(table.second[both])
    scores = {"first": first, "second": second, "blended": blend.first * first + blend.second * second}
    return {"pairs": float(len(gold))} | {name: _ranked_right(told, gold) for name, told in scores.items()}


def _ranked_right(told: Floats, gold: Bools) -> float:
    """The share of (true, false) pairs in which the true one is told higher; ties count half."""
    order = np.sort(told[~gold])
    if not gold.any() or not len(order):
        return 0.5
    places = np.searchsorted(order, told[gold], "left") + np.searchsorted(order, told[gold], "right")
    return float(places.mean() / (2 * len(order)))


def settle(table: PairTable, rules: Rules) -> tuple[Bools, Bools, Bools]:
    """Which pairs are found, asked and left unsure, each [n, C]: what CascadeReader does, on a table."""
    lower, upper = table.threshold.copy(), table.threshold.copy()
    for code, bounds in rules.bounds.items():
        lower[CODES.index(code)], upper[CODES.index(code)] = bounds.lower, bounds.upper
    yes, sure = _verdicts(table, rules.blend, rules.least_margin)
    found, asked = _decide(table, yes, lower, upper)
    return found, asked, asked & ~sure


def cost_curve(table: PairTable, costs: Costs, blend: Blend, least_margin: float) -> list[CurvePoint]:
    """Points of rising cost and F1, from no question on. Codes with few examples share how far theirs reach."""
    groups = _groups(table.gold)
    options = [_options(table, blend, least_margin, group) for group in groups]
    chosen: dict[tuple[int, ...], CurvePoint] = {}
    for price in (np.inf, *PRICES):
        places = _best_places(options, float(table.gold.sum()), price)
        if places not in chosen:
            picked = zip(groups, options, places, strict=True)
            pairs = [zip(group, some[place].bounds, strict=False) for group, some, place in picked]
            bounds = {CODES[code]: each for some in pairs for code, each in some}
            chosen[places] = measure(table, costs, Rules(dict(sorted(bounds.items())), blend, least_margin))
    return _rising(list(chosen.values()))


def measure(table: PairTable, costs: Costs, rules: Rules) -> CurvePoint:
    """What these rules cost and bring on a table."""
    found, asked, unsure = settle(table, rules)
    hits, said, true = (float(each.sum()) for each in (table.gold & found, found, table.gold))
    sections = len(table.gold) / SECTION_SENTENCES
    questions = float(asked.sum()) / max(sections, 1e-9)
    return CurvePoint(
        bounds=rules.bounds,
        asked=questions,
        share=float(asked.mean()) if asked.size else 0.0,
        unsure=float(unsure.sum()) / max(sections, 1e-9),
        precision=hits / max(1.0, said),
        recall=hits / max(1.0, true),
        micro_f1=f1(hits, said, true),
        cpu_seconds=SECTION_SENTENCES * costs.sentence_seconds + questions * costs.question_seconds,
    )


def best_point(curve: Sequence[CurvePoint], budget: float) -> CurvePoint:
    """The point with the best F1 among those with at most `budget` questions per section."""
    return max((point for point in curve if point.asked <= budget), key=lambda point: point.micro_f1)


@dataclass(frozen=True, slots=True)
class _Option:
    """The bounds of each code of a group (empty: nothing is asked), and what they give."""

    bounds: tuple[Bounds, ...]
    hits: float
    said: float
    asked: float


def _groups(gold: Bools) -> list[list[int]]:
    """Columns that share their bounds: each common code alone, all rare ones together."""
    counts = gold.sum(0)
    rare = [int(code) for code in np.flatnonzero(counts < FEWEST)]
    return [[int(code)] for code in np.flatnonzero(counts >= FEWEST)] + ([rare] if rare else [])


def _options(table: PairTable, blend: Blend, least_margin: float, group: list[int]) -> list[_Option]:
    threshold = table.threshold[group]
    part = PairTable(table.gold[:, group], table.first[:, group], table.second[:, group], threshold)
    yes, _ = _verdicts(part, blend, least_margin)
    made = []
    for below, above in product(SHARES, SHARES):
        lower, upper = _limits(threshold, below, above) if below or above else (threshold, threshold)
        found, asked = _decide(part, yes, lower, upper)
        bounds = [Bounds(lower=low, upper=up) for low, up in zip(lower, upper, strict=True)] if below or above else []
        counts = (float(each.sum()) for each in (found & part.gold, found, asked))
        made.append(_Option(tuple(bounds), *counts))
    return made


def _limits(threshold: Floats, below: float, above: float) -> tuple[Floats, Floats]:
    """Bounds so far around thresholds, no nearer to 0 and 1 than the second reader was asked."""
    lower = np.maximum(np.round(threshold * (1 - below), 4), LEAST_DOUBT)
    upper = np.minimum(np.round(threshold + (1 - threshold) * above, 4), 1 - LEAST_DOUBT)
    return np.minimum(lower, threshold), np.maximum(upper, threshold)


def _verdicts(table: PairTable, blend: Blend, least_margin: float) -> tuple[Bools, Bools]:
    """Of each pair, whether both readers together affirm it, and whether they settle it."""
    odds = blend.first * _odds(table.first) + blend.second * _odds(table.second) + blend.shift
    probability = sigmoid(odds)
    sure = np.abs(2 * probability - 1) >= least_margin
    return sure & (probability >= 0.5), sure  # noqa: PLR2004  # even odds


def _decide(table: PairTable, yes: Bools, lower: Floats, upper: Floats) -> tuple[Bools, Bools]:
    """Which pairs are found, and which are asked about. What cannot be asked about is decided by the threshold."""
    between = (table.first >= lower) & (table.first < upper)
    asked = between & ~np.isnan(table.second)
    own = np.where(between, table.first >= table.threshold, table.first >= upper)
    return np.where(asked, yes, own), asked


def _odds(probability: Floats) -> Floats:
    kept = np.clip(probability, EDGE, 1 - EDGE)
    return np.asarray(np.log(kept / (1 - kept)))


def _best_places(options: Sequence[Sequence[_Option]], gold: float, price: float) -> tuple[int, ...]:
    """For each group the option that maximizes (2 * hits - price * asked) / (said + gold) over all groups together."""
    if np.isinf(price):
        return (0,) * len(options)
    tables = [np.array([(o.hits, o.said, o.asked) for o in some]) for some in options]
    ratio, places = -1.0, (0,) * len(options)
    for _ in range(ROUNDS):
        worth = [2 * t[:, 0] - ratio * t[:, 1] - (price + EDGE) * t[:, 2] for t in tables]
        places = tuple(int(each.argmax()) for each in worth)
        hits, said, asked = np.sum([t[place] for t, place in zip(tables, places, strict=True)], axis=0)
        better = float((2 * hits - (price + EDGE) * asked) / max(said + gold, 1e-9))
        if better <= ratio + EDGE:
            break
        ratio = better
    return places


def _rising(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Those that no cheaper point equals."""
    kept: list[CurvePoint] = []
    for point in sorted(points, key=lambda point: (point.asked, -point.micro_f1)):
        if not kept or point.micro_f1 > kept[-1].micro_f1:
            kept.append(point)
    return kept
