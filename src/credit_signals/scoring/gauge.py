"""The risk gauge: a base and signed points that add up. Not a probability of default."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import fsum

from credit_signals.domain import Contribution, Score, Signal, SiteFact, SiteStatus
from credit_signals.scoring.signals import present
from credit_signals.scoring.weights import Weights

WORST, BEST = 1, 100
TIMES = "\N{MULTIPLICATION SIGN}"
_FACT_OF_STATUS = {SiteStatus.PARKED: "parked", SiteStatus.UNREACHABLE: "unreachable"}
_SECONDS_PER_DAY = 86_400


def score_company(
    signals: Sequence[Signal],
    facts: Sequence[SiteFact],
    status: SiteStatus,
    weights: Weights,
    at: datetime,
    *,
    text_read: bool = True,
) -> Score | None:
    """The gauge of a company, or None when nothing can be judged.

    `value` is base + contributions, rounded and clipped to 1..100. Withdrawn signals count no longer. A parked or
    dead site is evidence by itself and is scored by that fact. Any other site that was not read, or none of whose text
    a reader knew (`text_read` false), gets a gauge only from signals of earlier runs that still stand; without any,
    there is nothing to judge.
    """
    standing = list(present(signals))
    faults = [fact for fact in facts if fact.key in weights.facts]
    implied = _FACT_OF_STATUS.get(status)
    if implied and not any(fact.key == implied for fact in faults):
        faults.append(SiteFact(key=implied, value=f"the site is {implied}", source="crawl"))
    if not implied and not standing and (status is not SiteStatus.READ or not text_read):
        return None
    contributions = sorted(
        (part for part in [*_of_signals(standing, weights, at), *_of_facts(faults, weights)] if part.points),
        key=lambda part: (part.points, part.label, part.signal_id, part.detail),
    )
    value = min(BEST, max(WORST, round(fsum([weights.base, *(part.points for part in contributions)]))))
    return Score(
        value=value,
        band=weights.band(value),
        base=weights.base,
        contributions=tuple(contributions),
        weights_version=weights.version,
    )


def _of_signals(signals: Sequence[Signal], weights: Weights, at: datetime) -> Iterator[Contribution]:
    by_code: defaultdict[str, list[tuple[float, str, Signal]]] = defaultdict(list)
    for signal in signals:
        points, detail = _points(signal, weights, at)
        by_code[signal.code].append((points, detail, signal))
    for code, parts in by_code.items():
        # the strongest counts whole; this order makes each further one lower the sum of a bad code, never raise it
        for rank, (points, detail, signal) in enumerate(sorted(parts, key=lambda part: (-abs(part[0]), part[2].id))):
            repeated = f" {TIMES} {weights.diminish**rank:.2g} (no. {rank + 1} of its kind)" if rank else ""
            yield Contribution(
                label=code, points=points * weights.diminish**rank, signal_id=signal.id, detail=detail + repeated
            )


def _points(signal: Signal, weights: Weights, at: datetime) -> tuple[float, str]:
    since, floor, known_by = signal.first_seen, weights.freshness.floor, "first seen"
    if signal.stated_on:
        since, floor, known_by = _end_of(signal.stated_on), weights.freshness.dated_floor, "published"
    days = max(0.0, (at - since).total_seconds() / _SECONDS_PER_DAY)
    half_life = weights.freshness.codes.get(signal.code, weights.freshness.half_life_days)
    factors = (
        (weights.severity[signal.severity], f"severity {signal.severity}"),
        (weights.stance[signal.stance], str(signal.stance)),
        (weights.subject[signal.subject], f"subject {signal.subject}"),
        (signal.confidence, "confidence"),
        (max(floor, 0.5 ** (days / half_life)), f"freshness, {known_by} {days:.0f} days ago"),
    )
    points = weights.codes[signal.code]
    detail = f"{points:+g}"
    for factor, meaning in factors:
        points *= factor
        detail += f" {TIMES} {factor:.2g} ({meaning})"
    return points, detail


def _end_of(stated_on: str) -> datetime:
    """The start of the last day that a date of a day or a month names: nothing is called older than it may be."""
    year, month, *day = (int(part) for part in stated_on.split("-"))
    return datetime(year, month, day[0] if day else monthrange(year, month)[1], tzinfo=UTC)


def _of_facts(facts: Sequence[SiteFact], weights: Weights) -> Iterator[Contribution]:
    seen: defaultdict[str, int] = defaultdict(int)
    for fact in sorted(facts, key=lambda fact: (fact.key, fact.url, fact.value)):
        rank = seen[fact.key]
        seen[fact.key] += 1
        yield Contribution(
            label=fact.key,
            points=weights.facts[fact.key] * weights.diminish**rank,
            fact_key=fact.key,
            detail=fact.value,
        )
