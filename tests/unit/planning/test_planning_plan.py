"""A plan is arithmetic that must hold together whatever is asked."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.planning.figures import load_figures
from credit_signals.planning.loads import changed_share
from credit_signals.planning.plan import Plan, make_plan
from credit_signals.planning.prices import load_prices
from credit_signals.planning.wish import DAY, Wish, doubts

FIGURES, PRICES = load_figures(), load_prices()
WEEKLY = Wish(companies=10_000_000, every=7 * DAY)

wishes = st.builds(
    Wish,
    companies=st.integers(1, 10**9),
    every=st.floats(3600, 400 * DAY),
    pages=st.floats(1, 500),
    keep_days=st.floats(0, 4000),
    hosts=st.integers(1, 500),
    min_delay=st.floats(0, 10),
    spot=st.booleans(),
)


def plan_of(wish: Wish, **values: float) -> Plan:
    """A plan with other values for some figures."""
    return make_plan(wish, FIGURES.given(values), PRICES)


@given(wishes)
@settings(max_examples=60, deadline=None)
def test_any_wish_has_a_plan_that_holds_together(wish: Wish) -> None:
    """Whatever is asked, later passes read no more than the first, the machines suffice, and nothing is negative."""
    plan = make_plan(wish, FIGURES, PRICES)
    node = PRICES.instance(wish.read_node)
    assert 0 <= plan.later.read_sections <= plan.first.read_sections <= plan.first.sections
    assert plan.sized.read.pods * wish.window * node.speed >= plan.later.read_cpu_seconds
    assert plan.sized.read.nodes * node.vcpus >= plan.sized.read.pods
    assert plan.sized.crawl.processes * wish.hosts >= plan.sized.crawl.sites_at_once
    assert plan.sized.storage.store_kept >= plan.sized.storage.store_first > 0
    assert all(line.dollars >= 0 for line in plan.costs)
    assert math.isclose(plan.dollars, sum(line.dollars for line in plan.costs))
    assert plan.limits == sorted(plan.limits, key=lambda limit: limit.companies)
    assert json.loads(json.dumps(plan.as_dict()))["wish"]["companies"] == wish.companies


@given(st.integers(1, 10**7), st.integers(2, 50))
@settings(max_examples=30, deadline=None)
def test_twice_the_companies_are_twice_the_work(companies: int, times: int) -> None:
    """Loads grow in proportion to companies, and what breaks first does not depend on how many are asked for."""
    one, many = plan_of(replace(WEEKLY, companies=companies)), plan_of(replace(WEEKLY, companies=companies * times))
    assert math.isclose(many.later.read_cpu_seconds, times * one.later.read_cpu_seconds)
    assert math.isclose(many.sized.storage.store_kept, times * one.sized.storage.store_kept)
    finite = [limit.companies for limit in one.limits if math.isfinite(limit.companies)]
    again = [limit.companies for limit in many.limits if math.isfinite(limit.companies)]
    assert again == pytest.approx(finite)


def test_unchanged_sections_cost_no_reading() -> None:
    """Without changes nothing is read again; with everything changed, as much as the first time."""
    assert plan_of(WEEKLY, changed_share_weekly=0).later.read_sections == 0
    changed = plan_of(WEEKLY, changed_share_weekly=1)
    assert changed.later.read_sections == changed.first.read_sections


@given(st.floats(0, 1), st.floats(0.01, 200 * DAY), st.floats(0.01, 200 * DAY))
def test_the_longer_the_wait_the_more_has_changed(weekly: float, short: float, more: float) -> None:
    """The changed share is a share, grows with time, and is the weekly one after a week."""
    assert 0 <= changed_share(weekly, short) <= changed_share(weekly, short + more) <= 1
    assert math.isclose(changed_share(weekly, 7 * DAY), weekly, abs_tol=1e-12)


def test_half_the_time_needs_twice_the_machines() -> None:
    """Pods follow the time that a pass may take; the hours that they work stay."""
    slow, fast = plan_of(WEEKLY), plan_of(replace(WEEKLY, within=3.5 * DAY))
    assert fast.sized.read.pods == pytest.approx(2 * slow.sized.read.pods, abs=1)
    assert fast.sized.read.hours_of_pods == slow.sized.read.hours_of_pods


def test_politeness_and_not_the_processor_may_ask_for_crawlers() -> None:
    """With a long delay, waiting asks for more processes than the processor does, and says so."""
    crawl = plan_of(replace(WEEKLY, min_delay=10)).sized.crawl
    assert crawl.by_waiting > crawl.by_processor
    assert crawl.processes == math.ceil(crawl.by_waiting)


def test_a_gpu_pays_earlier_for_larger_readers() -> None:
    """Dollars on both kinds grow with the model, and the sections from which a GPU pays become fewer."""
    generative = plan_of(WEEKLY).processors.readers[1:]
    assert [each.cpu_dollars for each in generative] == sorted(each.cpu_dollars for each in generative)
    assert [each.gpu_dollars for each in generative] == sorted(each.gpu_dollars for each in generative)
    assert [each.pays_from for each in generative] == sorted((each.pays_from for each in generative), reverse=True)


def test_the_time_that_a_queue_holds_is_told() -> None:
    """Scaling needs no full queue at an aim of what a full queue holds: twice the queue, nearly twice the time."""
    small, large = plan_of(WEEKLY).answer_within, plan_of(replace(WEEKLY, queue_length=100_000)).answer_within
    assert 1.5 * small < large < 2 * small


@pytest.mark.parametrize(
    "values",
    [
        {"companies": 0},
        {"every": 0.0},
        {"within": 8 * DAY},
        {"within": -1.0},
        {"pages": 0.5},
        {"hosts": 0},
        {"keep_days": -1.0},
    ],
)
def test_what_cannot_be_asked_is_refused(values: dict[str, float]) -> None:
    """No company, no time, more time than there is, no page: refused before anything is calculated."""
    with pytest.raises(ConfigurationError):
        replace(WEEKLY, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pages": 50}, "upper bound"),
        ({"pages": 200}, "deep crawl"),
        ({"every": 3600.0}, "oftener"),
        ({"companies": 10**9}, "more than have websites"),
        ({"min_delay": 0.0}, "impolite"),
        ({"within": DAY}, "7.0 times the machines"),
        ({"keep_days": 3.0}, "less than one period"),
    ],
)
def test_unlikely_wishes_are_warned_of(values: dict[str, float], said: str) -> None:
    """A wish that can be planned but hardly meant comes with a sentence that says why."""
    wish = replace(WEEKLY, **values)  # type: ignore[arg-type]
    assert any(said in doubt for doubt in doubts(wish, pages_found=7.5)), doubts(wish, 7.5)


def test_nodes_too_small_for_their_workers_are_warned_of() -> None:
    """Where a worker per vCPU does not fit the node's memory, the plan says so."""
    assert any("larger nodes" in warning for warning in plan_of(WEEKLY, worker_memory_bytes=2e9).warnings)
    assert not any("larger nodes" in warning for warning in plan_of(WEEKLY).warnings)


def test_a_usual_wish_has_no_warning() -> None:
    """Ten million companies a week with the pages that were found is planned without a word."""
    assert doubts(replace(WEEKLY, pages=7.5), pages_found=7.5) == []
