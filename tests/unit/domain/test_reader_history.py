"""Which reader is present, and which one a rollback goes back to."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import Outcome, Promotion, present_reader_id, reader_before


def decision(reader_id: str, previous: str, outcome: Outcome) -> Promotion:
    """A decision."""
    return Promotion(
        reader_id=reader_id,
        previous=previous,
        outcome=outcome,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        by="a test",
        explanation="",
    )


@given(st.lists(st.sampled_from(["a", "b", "c", "refuse", "back"]), max_size=20))
def test_rollbacks_undo_promotions_one_by_one(steps: list[str]) -> None:
    """However promotions, refusals and rollbacks follow each other, the present reader is that of a stack."""
    history: list[Promotion] = []
    stack = [""]
    for step in steps:
        present = present_reader_id(history)
        assert present == stack[-1]
        before = reader_before(history)
        assert before == (stack[-2] if len(stack) > 1 else None)
        if step == "refuse":
            history.append(decision("d", present, Outcome.REFUSED))
        elif step != "back":
            history.append(decision(step, present, Outcome.PROMOTED))
            stack.append(step)
        elif before is not None:
            history.append(decision(before, present, Outcome.ROLLED_BACK))
            stack.pop()
