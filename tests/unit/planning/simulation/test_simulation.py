"""The simulation obeys queueing theory, and loses nothing whatever is taken from it."""

from __future__ import annotations

import math
import statistics
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.planning.simulation import Arrival, Cluster, Outcome, PodModel, Scenario, Services, simulate
from credit_signals.planning.simulation.outcome import weighted_percentile
from credit_signals.scaling.sizing import SizingRule


def poisson(rate: float, count: int, seed: int) -> list[Arrival]:
    """Single sections that come at random."""
    chance, at, found = Random(seed), 0.0, []
    for _ in range(count):
        at += chance.expovariate(rate)
        found.append(Arrival(at, 1))
    return found


@pytest.mark.parametrize(("load", "variation"), [(0.5, 0.0), (0.5, 1.0), (0.3, 0.5), (0.7, 0.0)])
def test_one_worker_waits_as_pollaczek_and_khinchine_say(load: float, variation: float) -> None:
    """The mean wait before one worker is that of an M/G/1 queue: load / (1 - load) * (1 + variation^2) / 2."""
    model = PodModel(section_seconds=1.0, batch=1, variation=variation)
    runs = [simulate(Scenario(poisson(load, 8_000, seed), model, seed=seed)).mean_wait for seed in range(3)]
    expected = load / (1 - load) * (1 + variation**2) / 2
    assert statistics.fmean(runs) == pytest.approx(expected, rel=0.1)


def test_two_workers_wait_as_erlang_says() -> None:
    """The mean wait before two workers with exponential times is that of an M/M/2 queue (Erlang C)."""
    load, outcome = 0.7, []
    for seed in range(3):
        scenario = Scenario(
            poisson(2 * load, 10_000, seed), PodModel(1.0, batch=1, variation=1.0), Cluster(workers=2), seed=seed
        )
        outcome.append(simulate(scenario).mean_wait)
    assert statistics.fmean(outcome) == pytest.approx(load**2 / (1 - load**2), rel=0.1)


@given(
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 60)), min_size=1, max_size=30),
    st.integers(1, 3),
    st.integers(1, 20),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_littles_law_holds(gaps: list[tuple[float, int]], workers: int, batch: int, variation: float) -> None:
    """Over a whole run, what is in the system on average is what arrives a second times how long it stays."""
    outcome = simulate(Scenario(arrivals_of(gaps), PodModel(0.2, 0.1, batch, variation), Cluster(workers=workers)))
    rate = outcome.answered / outcome.ended
    assert math.isclose(outcome.mean_backlog, rate * outcome.mean_answer, rel_tol=1e-6)


@given(
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 60)), min_size=1, max_size=20),
    st.floats(1, 400),
    st.floats(0, 1),
    st.integers(1, 200),
    st.integers(0, 5),
)
@settings(max_examples=80, deadline=None)
def test_interruptions_lose_no_section(
    gaps: list[tuple[float, int]], interruptions: float, sudden: float, queue_length: int, seed: int
) -> None:
    """However often nodes are taken, with or without notice, each section is answered once, or a dead letter."""
    cluster = Cluster(
        workers=3,
        node_seconds=5,
        pod_seconds=2,
        interruptions=interruptions,
        notice_seconds=10,
        without_notice=sudden,
    )
    services = Services(queue_length=queue_length, idle_seconds=7, attempts=4, redis_seconds=0.001, store_seconds=0.01)
    scenario = Scenario(arrivals_of(gaps), PodModel(0.2, 0.1, 8, 0.5), cluster, services, seed=seed)
    outcome = simulate(scenario)
    offered = sum(count for _, count in gaps)
    assert outcome.offered == offered == outcome.answered + outcome.dead
    assert outcome.backlog == 0
    assert outcome.peak_backlog <= queue_length
    assert sum(span.sections for span in outcome.spans) == outcome.answered


def arrivals_of(gaps: list[tuple[float, int]]) -> list[Arrival]:
    """Arrivals by the time since the last one."""
    at, found = 0.0, []
    for gap, count in gaps:
        at += gap
        found.append(Arrival(at, count))
    return found


def test_the_same_scenario_goes_the_same_way() -> None:
    """Chance is seeded: a simulation can be repeated to the last second, and another seed goes another way."""

    def run(seed: int) -> Outcome:
        cluster = Cluster(workers=2, interruptions=60, without_notice=0.5)
        return simulate(Scenario(poisson(2.0, 500, 1), PodModel(0.5, variation=0.5), cluster, seed=seed))

    assert run(3) == run(3)
    assert run(3).mean_answer != run(4).mean_answer


def test_a_full_queue_makes_the_crawl_wait() -> None:
    """The backlog never passes its bound; the crawl comes later by as much as it waited, and all is read."""
    arrivals = [Arrival(float(at), 100) for at in range(10)]
    outcome = simulate(Scenario(arrivals, PodModel(0.1, batch=10), services=Services(queue_length=150)))
    assert outcome.peak_backlog == 150
    assert outcome.crawl_waited > 0
    assert outcome.answered == 1000
    assert outcome.ended == pytest.approx(100, rel=0.02)  # one worker, ten sections a second


def test_a_killed_worker_costs_the_idle_time() -> None:
    """What a worker held that vanished is read by another one after the idle time, with everything in order."""
    cluster = Cluster(workers=1, interruptions=3600 / 5, without_notice=1.0, pod_seconds=1)
    scenario = Scenario(
        [Arrival(0, 16)], PodModel(0.5, batch=16), cluster, Services(idle_seconds=30, attempts=50), seed=2
    )
    outcome = simulate(scenario)
    assert outcome.redelivered >= 16
    assert outcome.ended >= 30 + 8
    assert outcome.answered == 16


def test_notice_long_enough_finishes_the_batch() -> None:
    """A worker that is told in time finishes its batch: nothing is delivered twice."""
    cluster = Cluster(workers=2, interruptions=200, notice_seconds=120, pod_seconds=3)
    outcome = simulate(Scenario([Arrival(0, 2000)], PodModel(0.1, batch=16), cluster))
    assert outcome.interruptions > 0
    assert outcome.redelivered == 0
    assert outcome.answered == 2000


def test_the_store_bounds_what_many_workers_do() -> None:
    """With one writer of 0.1 s a section, ten workers are no faster than the writer."""
    services = Services(store_seconds=0.1)
    outcome = simulate(Scenario([Arrival(0, 500)], PodModel(0.01, batch=5), Cluster(workers=10), services))
    assert outcome.ended == pytest.approx(50, rel=0.02)


@pytest.mark.parametrize(("share", "grows"), [(0.7, False), (1.4, True)])
def test_one_redis_thread_breaks_where_its_time_is_used_up(share: float, grows: bool) -> None:
    """Below what Redis's one thread can do the backlog stays small; above, it grows with time, workers or not."""
    arrivals = [Arrival(at / 10, round(20 * share)) for at in range(600)]  # 200 sections a second are its limit
    services = Services(redis_seconds=1 / 200)
    outcome = simulate(Scenario(arrivals, PodModel(0.01, batch=8), Cluster(workers=20), services))
    assert outcome.answered / outcome.ended == pytest.approx(200 * min(share, 1), rel=0.05)
    assert (outcome.ended > 80) is grows


def test_scaling_follows_the_backlog_and_goes_back() -> None:
    """Pods come after the time they need to start, and are given back when the backlog is read."""
    rule = SizingRule(floor=1, ceiling=20, start_seconds=30)
    cluster = Cluster(workers=1, rule=rule, answer_within=600, look_seconds=10, node_seconds=20, pod_seconds=10)
    arrivals = [Arrival(0, 20_000), Arrival(2000, 10)]
    outcome = simulate(Scenario(arrivals, PodModel(0.1), cluster, sample_seconds=5))
    assert max(sample.workers for sample in outcome.samples if sample.at < 30) == 2  # the first node had room for one
    assert 4 <= outcome.peak_workers <= 12
    assert next(sample.workers for sample in outcome.samples if sample.at > 1900) == 1
    assert outcome.pod_seconds < 0.5 * outcome.peak_workers * outcome.ended


def test_scaling_meets_the_time_to_answer() -> None:
    """Once all is crawled, the backlog is read in the time that is left, starts of nodes included."""
    rule = SizingRule(floor=1, ceiling=20, start_seconds=30)
    cluster = Cluster(workers=1, rule=rule, answer_within=600, look_seconds=10, node_seconds=20, pod_seconds=10)
    outcome = simulate(Scenario([Arrival(0, 20_000)], PodModel(0.1, variation=0.3), cluster))
    assert 300 <= outcome.ended <= 600


def test_a_crawl_waits_for_a_low_ceiling_only() -> None:
    """However long a time scaling aims at, a filling queue gets workers; with too low a ceiling the crawl waits."""
    arrivals = [Arrival(float(at), 40) for at in range(600)]  # four workers' work
    services = Services(queue_length=2000)

    def waited(answer_within: float, ceiling: int) -> float:
        rule = SizingRule(floor=1, ceiling=ceiling, start_seconds=5)
        cluster = Cluster(workers=1, rule=rule, answer_within=answer_within, look_seconds=5, pod_seconds=5)
        return simulate(Scenario(arrivals, PodModel(0.1), cluster, services)).crawl_waited

    assert waited(40, 10) == 0
    assert waited(6 * 3600, 10) == 0
    assert waited(6 * 3600, 2) > 300


def test_the_horizon_ends_a_simulation() -> None:
    """What is not read at the horizon is told as backlog."""
    outcome = simulate(Scenario([Arrival(0, 1000)], PodModel(1.0, batch=10), horizon=95))
    assert outcome.ended == 95
    assert outcome.answered + outcome.backlog == 1000
    assert outcome.answered == 90


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PodModel(0.0),
        lambda: PodModel(1.0, batch=0),
        lambda: PodModel(-1.0, 5.0),
        lambda: Cluster(pods_per_node=0),
        lambda: Cluster(without_notice=2),
        lambda: Services(queue_length=0),
        lambda: Services(idle_seconds=-1),
        lambda: Scenario([Arrival(2, 1), Arrival(1, 1)], PodModel(1.0)),
        lambda: Scenario([Arrival(0, 0)], PodModel(1.0)),
    ],
)
def test_what_cannot_happen_is_refused(wrong: object) -> None:
    """Negative times, empty arrivals, arrivals out of order and sizes below 1 are refused before the start."""
    with pytest.raises(ConfigurationError):
        wrong()  # type: ignore[operator]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 9)), min_size=1), st.floats(0, 1))
def test_a_weighted_percentile_is_that_of_the_repeated_values(pairs: list[tuple[float, int]], share: float) -> None:
    """Weights count as often as the value would stand there."""
    values = sorted(value for value, weight in pairs for _ in range(weight))
    place = max(0, math.ceil(share * len(values) - 1e-9) - 1)
    assert weighted_percentile(pairs, share) == values[place]
