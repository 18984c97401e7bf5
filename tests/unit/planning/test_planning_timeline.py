"""The simulated stretch of a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.planning.figures import Figure, Figures, load_figures
from credit_signals.planning.plan import make_plan
from credit_signals.planning.prices import load_prices
from credit_signals.planning.timeline import arrivals, make_timeline
from credit_signals.planning.wish import DAY, Wish

WISH = Wish(companies=500_000, every=7 * DAY)


def test_the_pods_of_the_plan_read_what_it_says() -> None:
    """With the rule of scaling, about as many pods work on average as the plan has, and all sections are answered."""
    plan = make_plan(replace(WISH, companies=3_000_000), load_figures(), load_prices())
    timeline = make_timeline(plan, 8 * 3600)
    outcome = timeline.outcome
    assert outcome.answered == round(plan.later.read_sections * 8 * 3600 / plan.wish.window)
    mean_busy = outcome.busy_seconds / outcome.ended
    assert mean_busy == pytest.approx(plan.sized.read.hours_of_pods * 3600 / plan.wish.window, rel=0.15)
    assert outcome.peak_backlog <= plan.wish.queue_length


def test_a_stretch_is_no_longer_than_a_pass() -> None:
    """Asking for more hours than a pass has simulates the pass."""
    plan = make_plan(replace(WISH, companies=20_000, every=3600.0), load_figures(), load_prices())
    assert make_timeline(plan, 10 * DAY).seconds == 3600


class NotingFigures(Figures):
    """Figures that note which of them are asked for."""

    def __init__(self, figures: Figures) -> None:
        super().__init__({name: figures.figure(name) for name in figures})
        self.asked: set[str] = set()

    def figure(self, name: str) -> Figure:
        """One figure."""
        self.asked.add(name)
        return super().figure(name)


def test_every_figure_counts() -> None:
    """No figure stands in the table that neither a plan nor its timeline asks for."""
    figures = NotingFigures(load_figures())
    make_timeline(make_plan(replace(WISH, companies=20_000), figures, load_prices()), 600)
    assert set(figures) - figures.asked == set()


@given(st.integers(1, 10**7), st.floats(1, 1e6), st.integers(0, 99), st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_arrivals_hold_all_sections_in_order(sections: int, seconds: float, seed: int, burst: float) -> None:
    """However many sections and however large the burst, they all come, in the order of time, within the stretch."""
    found = arrivals(sections, seconds, seed, burst)
    assert sum(arrival.sections for arrival in found) == sections
    assert [arrival.at for arrival in found] == sorted(arrival.at for arrival in found)
    assert all(0 <= arrival.at <= seconds and arrival.sections > 0 for arrival in found)
