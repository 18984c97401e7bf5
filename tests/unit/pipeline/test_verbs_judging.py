"""From what was read to a report, from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_world import MILL, World, codes, section

from credit_signals import pipeline
from credit_signals.errors import CreditSignalsError
from credit_signals.inference.cascade import CascadeReader
from credit_signals.inference.manifest import Bounds, CascadeManifest
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.scoring import load_weights
from credit_signals.store.base import SignalChange

INSOLVENT = section("/news", "We filed for insolvency.")
CLOSING = section("/jobs", "We are closing our works in Leeds.")
QUIET = section("/news", "All is quiet at the mill.")


def test_a_report_quotes_and_is_stored(world: World) -> None:
    """The report that is given is the one that is stored, with verbatim quotes and a gauge."""
    report = world.read(INSOLVENT)
    (signal,) = report.signals
    assert signal.evidence.quote == "We filed for insolvency."
    assert report.gauge is not None
    assert world.store.report(report.run_id, MILL.id) == report


def test_a_statement_that_vanishes_is_withdrawn_and_may_return(world: World) -> None:
    """A signal ends when its page is read without it, keeps its first day, and stands again when it is stated again."""
    first = world.read(INSOLVENT).signals[0]
    (gone,) = world.read(QUIET).signals
    assert (gone.id, gone.first_seen) == (first.id, first.first_seen)
    assert gone.withdrawn_at is not None
    (back,) = world.read(INSOLVENT).signals
    assert (back.id, back.withdrawn_at, back.first_seen) == (first.id, None, first.first_seen)
    changes = [event.change for event in world.store.signal_events(MILL.id)]
    assert changes == [SignalChange.SEEN, SignalChange.WITHDRAWN, SignalChange.RETURNED]


def test_a_page_that_is_gone_withdraws_what_it_said(world: World) -> None:
    """404 and 410 end the statements of a page."""
    world.read(INSOLVENT, CLOSING)
    report = world.read(CLOSING, faults={"/news": 404})
    assert codes(report) == ["site_closure"]
    assert codes(report, standing=False) == ["insolvency"]


def test_a_page_that_could_not_be_fetched_withdraws_nothing(world: World) -> None:
    """A server's bad day says nothing about its company."""
    world.read(INSOLVENT, CLOSING)
    report = world.read(CLOSING, faults={"/news": 503})
    assert sorted(codes(report)) == ["insolvency", "site_closure"]


def test_text_that_no_reader_knows_neither_scores_nor_withdraws(world: World) -> None:
    """A page rewritten in an unknown language keeps its signal standing; alone, such text gives no gauge."""
    world.read(INSOLVENT)
    german = section("/news", "Alles ruhig in der Mühle.", language="de")
    report = world.read(german)
    assert codes(report) == ["insolvency"]
    assert report.unread_sections == {"language:de": 1}
    stranger = World(world.archive)
    alone = stranger.read(german)
    assert alone.signals == ()
    assert alone.gauge is None


def test_text_that_is_not_read_yet_withdraws_nothing(world: World) -> None:
    """Scoring a run before its workers are done ends no signal."""
    world.read(INSOLVENT)
    report = world.score(world.crawled(QUIET))
    assert codes(report) == ["insolvency"]
    assert report.unread_sections == {"not read": 1}


def test_scoring_twice_changes_no_signal(world: World) -> None:
    """A repeated scoring step gives the same signals and gauge."""
    run = world.crawled(INSOLVENT, CLOSING)
    world.work()
    first, second = world.score(run), world.score(run)
    assert first.signals == second.signals
    assert first.gauge is not None
    assert second.gauge is not None
    assert first.gauge.value == second.gauge.value


def test_companies_that_were_not_crawled_are_left_out(world: World) -> None:
    """A run in the middle of its crawl is scored as far as it is."""
    run = pipeline.open_run(world.store, pipeline.RunRequest([MILL]))
    assert list(pipeline.score_run(run.id, world.store, load_weights())) == []


def test_what_a_cascade_leaves_unsure_is_counted_and_not_scored(world: World) -> None:
    """The worker counts it, the store keeps it, the report tells how many; neither gauge nor signals know it."""
    bounds = {"default": Bounds(lower=0.1, upper=0.95)}
    rules = CascadeManifest(
        kind="cascade", version="1", cheap=Path("a"), second=Path("b"), bounds=bounds, least_margin=0.2
    )
    judge = ScriptedReader({}, verdicts={"insolvency": 0.55, "closing": 0.9})
    world.reader = CascadeReader(rules, "cascade-1", world.reader, judge)
    run = world.crawled(INSOLVENT, CLOSING)
    assert world.work() == {"read": 2, "unsure": 1}
    stored = world.store.predictions(run.id, MILL.id)[INSOLVENT.content_hash]
    assert ([found.code for found in stored.unsure], stored.signals) == (["insolvency"], ())
    report = world.score(run)
    assert (codes(report), report.unsure_statements) == (["site_closure"], 1)


def test_an_unknown_run_is_refused(world: World) -> None:
    """Scoring names the run that is not there."""
    with pytest.raises(CreditSignalsError, match="'nope'"):
        list(pipeline.score_run("nope", world.store, load_weights()))
