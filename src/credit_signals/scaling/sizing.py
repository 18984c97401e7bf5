"""How many reader workers the work needs: plain arithmetic for the DAG task, the command line and simulations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from credit_signals.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class SizingRule:
    """The bounds between which workers are counted. Raises ConfigurationError for bounds that contradict each other.

    `margin`: part of the work that is added to it, for what goes wrong. `slack`: part above the need at which workers
    are given back; half of it is kept then, so that a small change of the need changes nothing. `start_seconds`: from
    the wish for a pod to its first section (node, image, model).
    """

    floor: int = 1
    ceiling: int = 10
    margin: float = 0.25
    slack: float = 0.3
    start_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.ceiling or self.ceiling < 1:
            raise ConfigurationError(f"workers cannot number {self.floor} to {self.ceiling}: floor <= ceiling, >= 1")
        if min(self.margin, self.slack, self.start_seconds) < 0:
            raise ConfigurationError("margin, slack and start_seconds of a sizing rule cannot be negative")


@dataclass(frozen=True, slots=True)
class Demand:
    """What there is to do, and who does it.

    `backlog`: sections that wait or are in work, of all runs. `service_seconds`: one worker's time for one section.
    `seconds_left`: until all must be read; may be past. `replicas`: workers wished for at present. `more_to_come`:
    sites are still being crawled. `full_at`: backlog at which crawling waits for readers; 0: never.
    """

    backlog: int
    service_seconds: float
    seconds_left: float
    replicas: int
    more_to_come: bool = False
    full_at: int = 0


def workers_needed(rule: SizingRule, demand: Demand) -> float:
    """Workers, not rounded, that read the backlog in time, margin included; never more than there are sections.

    The time in which workers start is no time to read. Near the end it counts for half of what is left at most: then
    a new worker would come too late, and asking for ever more helps nobody. While sites are crawled, a queue more than
    half full asks for workers up to the ceiling, however much time is left: a crawl that waits loses more than time.
    """
    work = demand.backlog * demand.service_seconds * (1 + rule.margin)
    seconds = max(demand.seconds_left - rule.start_seconds, demand.seconds_left / 2)
    in_time = work / seconds if seconds > 0 else math.inf
    return min(demand.backlog, max(in_time, rule.ceiling * _pressure(demand)))


def _pressure(demand: Demand) -> float:
    """How near a crawl is to waiting for readers: 0 while the queue is half empty, 1 when it is full."""
    if not (demand.more_to_come and demand.full_at):
        return 0.0
    return min(1.0, max(0.0, 2 * demand.backlog / demand.full_at - 1))


def choose_replicas(rule: SizingRule, demand: Demand) -> int:
    """Workers to wish for: up at once to the need, down only from clearly too many, and to the floor without work."""
    needed = workers_needed(rule, demand)
    few = max(rule.floor, 1 if demand.more_to_come else 0)
    least, kept, most = (
        max(few, math.ceil(min(demand.backlog, needed * share))) for share in (1, 1 + rule.slack / 2, 1 + rule.slack)
    )
    chosen = kept if demand.replicas > most else max(demand.replicas, least)
    return min(chosen, rule.ceiling)


def explain(rule: SizingRule, demand: Demand) -> str:
    """One sentence for a person: what is chosen, and why."""
    chosen, needed = choose_replicas(rule, demand), workers_needed(rule, demand)
    if demand.backlog == 0:
        why = "no section waits" + (", and sites are still being crawled" if demand.more_to_come else "")
    elif _pressure(demand):
        why = f"{demand.backlog} sections wait, and at {demand.full_at} crawling would wait for readers"
    else:
        hours = max(0.0, demand.seconds_left) / 3600
        why = f"{demand.backlog} sections x {demand.service_seconds:.3g} s in {hours:.3g} h need {needed:.3g} workers"
    late = "; the ceiling is too low for the time left" if needed > rule.ceiling else ""
    change = f"{demand.replicas} -> {chosen}" if chosen != demand.replicas else f"{chosen} stay"
    return f"{change}: {why}; floor {rule.floor}, ceiling {rule.ceiling}{late}"
