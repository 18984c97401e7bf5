"""How many workers the rule wishes for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.scaling import Demand, SizingRule, choose_replicas, explain, workers_needed

RULE = SizingRule(floor=1, ceiling=20, margin=0.25, slack=0.3, start_seconds=60)
HOUR = 3600.0

rules = st.builds(
    SizingRule,
    floor=st.integers(0, 5),
    ceiling=st.integers(5, 500),
    margin=st.floats(0, 2),
    slack=st.floats(0, 2),
    start_seconds=st.floats(0, 600),
)
demands = st.builds(
    Demand,
    backlog=st.integers(0, 10_000_000),
    service_seconds=st.floats(0.001, 600),
    seconds_left=st.floats(-HOUR, 30 * 24 * HOUR),
    replicas=st.integers(0, 600),
    more_to_come=st.booleans(),
    full_at=st.sampled_from([0, 100, 50_000]),
)


@given(rules, demands)
def test_the_choice_lies_between_floor_and_ceiling(rule: SizingRule, demand: Demand) -> None:
    """No backlog and no deadline moves the number of pods out of what was allowed."""
    assert rule.floor <= choose_replicas(rule, demand) <= rule.ceiling


@given(rules, demands, st.integers(1, 1_000_000))
def test_more_work_never_gets_fewer_workers(rule: SizingRule, demand: Demand, more: int) -> None:
    """The choice grows with the backlog."""
    assert choose_replicas(rule, replace(demand, backlog=demand.backlog + more)) >= choose_replicas(rule, demand)


@given(rules, demands, st.floats(1, 24 * HOUR))
def test_less_time_never_gets_fewer_workers(rule: SizingRule, demand: Demand, less: float) -> None:
    """The choice grows as the deadline comes nearer."""
    sooner = replace(demand, seconds_left=demand.seconds_left - less)
    assert choose_replicas(rule, sooner) >= choose_replicas(rule, demand)


@given(rules, demands)
def test_the_choice_meets_the_deadline_where_the_ceiling_allows(rule: SizingRule, demand: Demand) -> None:
    """Below the ceiling the chosen workers, started late, read the backlog in the time left by plain arithmetic."""
    chosen = choose_replicas(rule, demand)
    reading = demand.seconds_left - rule.start_seconds
    if chosen < rule.ceiling and chosen < demand.backlog and reading >= demand.seconds_left / 2 > 0:
        assert demand.backlog * demand.service_seconds <= chosen * reading * (1 + 1e-9)


@given(rules, demands)
def test_a_choice_that_is_followed_stays(rule: SizingRule, demand: Demand) -> None:
    """Asked again at once, the rule chooses the same: it does not swing."""
    chosen = choose_replicas(rule, demand)
    assert choose_replicas(rule, replace(demand, replicas=chosen)) == chosen


@given(rules, demands)
def test_workers_are_given_back_only_where_they_are_clearly_too_many(rule: SizingRule, demand: Demand) -> None:
    """What goes down stays above the need, and what is within the slack of the need is left alone."""
    chosen, needed = choose_replicas(rule, demand), workers_needed(rule, demand)
    if chosen < demand.replicas and chosen < rule.ceiling:
        assert chosen >= needed
    if needed <= demand.replicas <= needed * (1 + rule.slack) and rule.floor <= demand.replicas <= rule.ceiling:
        assert chosen >= min(demand.replicas, demand.backlog)


@given(rules, demands)
def test_without_work_the_floor_is_left(rule: SizingRule, demand: Demand) -> None:
    """An empty queue needs the floor only; one worker stays for the sections that a crawl is about to bring."""
    idle = replace(demand, backlog=0)
    assert choose_replicas(rule, replace(idle, more_to_come=False)) == rule.floor
    assert choose_replicas(rule, replace(idle, more_to_come=True)) == max(1, rule.floor)


@pytest.mark.parametrize(
    ("backlog", "seconds_left", "replicas", "wanted"),
    [
        (0, HOUR, 5, 1),
        (100, HOUR, 1, 1),  # 100 x 1 s
        (100_000, 5 * HOUR, 1, 7),  # 125,000 s of work in 17,940 s
        (100_000, 5 * HOUR, 9, 9),  # within the slack
        (100_000, 5 * HOUR, 12, 9),  # clearly too many: the need and half the slack stay
        (10_000_000, HOUR, 3, 20),  # the ceiling
        (3, -1.0, 1, 3),  # late: no more workers than sections
        (1000, 10.0, 2, 20),
    ],
)
def test_examples(backlog: int, seconds_left: float, replicas: int, wanted: int) -> None:
    """The arithmetic, as a person would check it."""
    assert choose_replicas(RULE, Demand(backlog, 1.0, seconds_left, replicas)) == wanted


@pytest.mark.parametrize(("backlog", "wanted"), [(20_000, 1), (25_000, 1), (30_000, 4), (50_000, 20), (60_000, 20)])
def test_a_crawl_does_not_wait_for_readers(backlog: int, wanted: int) -> None:
    """A queue that fills asks for workers although the deadline is far; after the crawl only the deadline counts."""
    demand = Demand(backlog, 0.1, 24 * HOUR, 1, more_to_come=True, full_at=50_000)
    assert choose_replicas(RULE, demand) == wanted
    assert choose_replicas(RULE, replace(demand, more_to_come=False)) == 1
    assert ("crawling would wait" in explain(RULE, demand)) == (wanted > 1)


def test_a_backlog_drained_on_plan_never_needs_more_workers() -> None:
    """With workers that start as late as the rule expects, the first choice stands until the backlog is read."""
    demand = Demand(200_000, 0.5, 4 * HOUR, 1)
    chosen = choose_replicas(RULE, demand)
    assert 1 < chosen < RULE.ceiling
    for second in range(0, int(4 * HOUR), 30):
        read = math.floor(max(0.0, second - RULE.start_seconds) * chosen / 0.5)
        left = replace(demand, backlog=max(0, 200_000 - read), seconds_left=4 * HOUR - second, replicas=chosen)
        assert choose_replicas(RULE, left) <= chosen
    assert left.backlog == 0


@pytest.mark.parametrize("wrong", [{"floor": 3, "ceiling": 2}, {"floor": -1}, {"floor": 0, "ceiling": 0}])
def test_bounds_that_contradict_each_other_are_refused(wrong: dict[str, int]) -> None:
    """A wrong setting is said where it is read, not found in the number of pods."""
    with pytest.raises(ConfigurationError, match="floor"):
        SizingRule(**wrong)


def test_the_reason_names_work_time_and_bounds() -> None:
    """An operator reads in the log why pods came and went."""
    line = explain(RULE, Demand(100_000, 1.0, 5 * HOUR, 1))
    assert line.startswith("1 -> 7: 100000 sections x 1 s in 5 h need 6.97 workers")
    assert "the ceiling is too low" in explain(RULE, Demand(10_000_000, 1.0, HOUR, 20))
    assert explain(RULE, Demand(0, 1.0, HOUR, 1)).startswith("1 stay: no section waits")
