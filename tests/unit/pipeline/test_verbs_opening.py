"""Opening a run."""

from __future__ import annotations

import pytest
from pipeline_world import MILL, World

from credit_signals import pipeline
from credit_signals.domain import Budget, Rejection
from credit_signals.errors import CreditSignalsError


def test_opening_an_id_twice_changes_nothing(world: World) -> None:
    """A repeated step finds the run as it was: its companies, budget and refused lines."""
    first = pipeline.open_run(
        world.store, pipeline.RunRequest([MILL], [Rejection(line=3, reason="no name")], Budget(pages=3), run_id="one")
    )
    again = pipeline.open_run(world.store, pipeline.RunRequest([], [], Budget(pages=9), reread=True, run_id="one"))
    assert again == first
    assert world.store.companies("one") == [MILL]
    assert [line.line for line in world.store.rejections("one")] == [3]


def test_two_new_runs_have_two_ids(world: World) -> None:
    """Runs opened within one second stay apart."""
    ids = {pipeline.open_run(world.store, pipeline.RunRequest([MILL])).id for _ in range(5)}
    assert len(ids) == 5


def test_an_unknown_run_is_named(world: World) -> None:
    """Whoever mistypes a run's id reads the id that is not there."""
    with pytest.raises(CreditSignalsError, match="'nope' is not in the store"):
        pipeline.known_run(world.store, "nope")
