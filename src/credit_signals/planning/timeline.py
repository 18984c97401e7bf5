"""A plan's reading, simulated: backlog and pods over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from credit_signals.planning.plan import Plan
from credit_signals.planning.simulation import Arrival, Cluster, Outcome, PodModel, Scenario, Services, simulate
from credit_signals.scaling.sizing import SizingRule

BATCH = 16
MOST_BATCHES = 20_000  # simulated; more sections go into one batch instead, each section as slow as before
TICKS = 4_000
BURST_SHARE = 0.1  # of the sections of a pass come at once
BURST_AT = 0.5  # of the window
CEILING = 3  # times the pods of the plan
ANSWER_WITHIN = 24 * 3600.0  # the hours of the form of the DAG crawl_companies
LOOK_SECONDS = 30.0  # Settings.scale_look_seconds
STORE_LANES = 4  # processors of the database
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """How a stretch of a pass goes: `seconds` of it, with readers added and taken away by the sizing rule."""

    plan: Plan
    seconds: float
    rule: SizingRule
    outcome: Outcome


def make_timeline(plan: Plan, seconds: float = DAY, seed: int = 1) -> Timeline:
    """Simulate a stretch of a later pass with a burst, as of sites that changed much, and pods from a floor of 1."""
    seconds = min(seconds, plan.wish.window)
    figures, read = plan.figures, plan.sized.read
    sections = round(plan.later.read_sections * seconds / plan.wish.window)
    rule = SizingRule(
        floor=1,
        ceiling=max(read.pods * CEILING, 2),
        start_seconds=figures["node_start_seconds"] + figures["pod_start_seconds"],
    )
    grain = max(1, math.ceil(sections / BATCH / MOST_BATCHES))  # sections of one batch, in real batches
    scenario = Scenario(
        arrivals=arrivals(sections, seconds, seed),
        pods=PodModel(1 / read.sections_per_second_of_pod, batch=BATCH * grain, variation=0.3),
        cluster=Cluster(
            workers=1,
            rule=rule,
            answer_within=min(ANSWER_WITHIN, plan.wish.window),
            look_seconds=LOOK_SECONDS,
            node_seconds=figures["node_start_seconds"],
            pod_seconds=figures["pod_start_seconds"],
            pods_per_node=read.pods_of_node,
            interruptions=figures["spot_interruptions_per_hour"] if plan.wish.spot else 0.0,
            without_notice=figures["spot_without_notice_share"],
        ),
        services=Services(
            queue_length=plan.wish.queue_length,
            redis_seconds=figures["redis_cpu_seconds_per_task"],
            store_seconds=figures["read_database_cpu_seconds_per_section"],
            store_lanes=STORE_LANES,
        ),
        sample_seconds=seconds / 600,
        seed=seed,
    )
    return Timeline(plan, seconds, rule, simulate(scenario))


def arrivals(sections: int, seconds: float, seed: int, burst_share: float = BURST_SHARE) -> list[Arrival]:
    """Sections that come evenly but for chance, and a burst of some in the middle."""
    chance = Random(seed)  # noqa: S311  # a simulation's, not a secret's
    burst = round(sections * burst_share)
    even = sections - burst
    ticks = max(1, min(TICKS, even))
    counts = [even // ticks + (1 if place < even % ticks else 0) for place in range(ticks)]
    times = sorted(chance.uniform(0, seconds) for _ in range(ticks))
    found = [Arrival(at, count) for at, count in zip(times, counts, strict=True) if count]
    if burst:
        found.append(Arrival(seconds * BURST_AT, burst))
    return sorted(found, key=lambda arrival: arrival.at)
