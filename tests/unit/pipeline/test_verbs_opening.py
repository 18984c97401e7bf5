"""Opening a run."""

from __future__ import annotations

import pytest
from pipeline_world import MILL, World, section

from credit_signals import pipeline
from credit_signals.domain import Budget, Outcome, Promotion, RegisteredReader, Rejection, SiteStatus, now
from credit_signals.errors import CreditSignalsError
from credit_signals.store.base import SiteRecord


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


def test_a_run_keeps_the_reader_it_began_with(world: World) -> None:
    """A reader promoted while a run goes on reads the next run, not the rest of this one."""
    before = pipeline.open_run(world.store, pipeline.RunRequest([MILL], run_id="before"))
    world.store.register_reader(
        RegisteredReader(
            id="1-new", kind="encoder", manifest="new.toml", base="", data_hash="", card="", registered_at=now()
        )
    )
    world.store.record_promotion(
        Promotion(reader_id="1-new", previous="", outcome=Outcome.PROMOTED, at=now(), by="a test", explanation="better")
    )
    assert pipeline.open_run(world.store, pipeline.RunRequest([MILL], run_id="before")) == before
    assert before.reader_id == ""
    after = pipeline.open_run(world.store, pipeline.RunRequest([MILL], run_id="after"))
    assert after.reader_id == "1-new"
    tools = world.tools(world.queue)
    for run in (before, after):
        record = SiteRecord(
            run.id, MILL.id, SiteStatus.READ, "", 1, "en", now(), sections=(section("/a", "We make flour."),)
        )
        pipeline.enqueue_company(run, record, tools)
    assert [each.task.reader_id for each in world.queue.take(9, 0)] == [world.reader.id, "1-new"]
