"""The rule by which a candidate is promoted or refused."""

from __future__ import annotations

import pytest
from made_answers import answers

from credit_signals.domain import Comparison, FigureChange, Trade
from credit_signals.tuning.answers import BASELINE
from credit_signals.tuning.comparison import compare
from credit_signals.tuning.promotion import judge

BETTER, LEVEL, A_LITTLE_WORSE, WORSE = (0.01, 0.05), (-0.02, 0.03), (-0.008, -0.001), (-0.05, -0.01)
HALF = Trade(may_lose=0.01, cost_factor=0.5, reason="twice as many companies a night")


def comparison(
    micro: tuple[float, float], macro: tuple[float, float], cost: float = 1.0, other: str = "1-a"
) -> Comparison:
    """A comparison with these intervals; `cost` in multiples of the other's."""
    figures = [
        FigureChange(name=name, candidate=0.8, other=0.8, low=low, high=high)
        for name, (low, high) in (("micro-F1", micro), ("macro-F1", macro))
    ]
    return Comparison(
        other=other,
        data_hash="split",
        sentences=300,
        documents=60,
        resamples=2000,
        seed=1,
        figures=tuple(figures),
        candidate_cost=0.04 * cost,
        other_cost=0.04,
    )


@pytest.mark.parametrize(
    ("given", "trade", "promoted"),
    [
        (comparison(BETTER, BETTER), None, True),
        (comparison(BETTER, BETTER, cost=1.1), None, True),  # within the noise of measuring
        (comparison(BETTER, BETTER, cost=1.2), None, False),
        (comparison(BETTER, LEVEL), None, False),
        (comparison(LEVEL, BETTER), None, False),
        (comparison((0.0, 0.0), (0.0, 0.0), cost=0.1), None, False),  # the same reader, made faster: state the trade
        (comparison(WORSE, BETTER), None, False),
        (comparison((0.0, 0.0), (0.0, 0.0), cost=0.4), HALF, True),
        (comparison(A_LITTLE_WORSE, A_LITTLE_WORSE, cost=0.5), HALF, True),
        (comparison(A_LITTLE_WORSE, A_LITTLE_WORSE, cost=0.6), HALF, False),  # a stated factor has no noise
        (comparison(A_LITTLE_WORSE, WORSE, cost=0.1), HALF, False),
        (comparison(BETTER, BETTER, cost=3), Trade(cost_factor=4, reason="worth it"), True),
        (comparison(BETTER, BETTER, cost=5), Trade(cost_factor=4, reason="worth it"), False),
        (comparison(BETTER, LEVEL), Trade(may_lose=0.02, reason="micro counts"), True),
        (comparison(LEVEL, LEVEL), Trade(may_lose=0.02, reason="why not"), False),  # nothing is gained
        (comparison(LEVEL, LEVEL, cost=2), Trade(may_lose=0.02, cost_factor=3, reason="why not"), False),
        (comparison(BETTER, BETTER, cost=1000, other=BASELINE), None, True),  # the baseline is never served
        (comparison(LEVEL, LEVEL, cost=0.1, other=BASELINE), None, False),
        (comparison(LEVEL, LEVEL, cost=0.1, other=BASELINE), Trade(may_lose=0.5, cost_factor=0.5, reason="?"), False),
    ],
)
def test_the_rule(given: Comparison, trade: Trade | None, promoted: bool) -> None:
    """Better beyond the interval at no higher cost, or what the trade allows with something gained; nothing else."""
    judgement = judge(given, trade)
    assert judgement.enough == promoted
    assert bool(judgement.explanation)


def test_a_refusal_says_why_in_numbers() -> None:
    """Every reason that stands against the candidate is named with its figures, and none that speaks for it."""
    explanation = judge(comparison(BETTER, LEVEL, cost=2)).explanation
    assert "macro-F1 0.8000 against 0.8000 (95% of the difference: -0.0200 to +0.0300)" in explanation
    assert "0.08 against 0.04 CPU-seconds per section: should be no higher" in explanation
    assert "micro" not in explanation


def test_a_promotion_by_trade_names_the_trade() -> None:
    """Whoever reads the record later sees the words and numbers of the trade."""
    explanation = judge(
        comparison(A_LITTLE_WORSE, LEVEL, cost=0.5), Trade(may_lose=0.02, cost_factor=0.5, reason="fast")
    )
    assert "at most 0.5 times as high" in explanation.explanation
    assert "trade: fast" in explanation.explanation
    assert "no more than the 0.0200 of the trade" in explanation.explanation


def test_made_readers_are_judged_by_their_answers() -> None:
    """A reader that is right more often is promoted, one that is right as often or less often is not."""
    present = answers("old", 0.6, seed=1)
    assert judge(compare(answers("new", 0.9, seed=2), present)).enough
    assert not judge(compare(answers("new", 0.6, seed=2), present)).enough
    assert not judge(compare(answers("new", 0.3, seed=2), present)).enough
