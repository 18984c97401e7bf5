"""What must not grow for ever."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

from pipeline_world import MILL, World, section

from credit_signals import pipeline
from credit_signals.domain import ArchivedAt, Fetch, FetchStatus, Run, now

DAY = 86_400


def _file(folder: Path, name: str, days: float) -> Path:
    path = folder / name
    path.write_bytes(b"")
    at = time.time() - days * DAY
    os.utime(path, (at, at))
    return path


def test_only_old_archive_files_that_nothing_refers_to_go(world: World) -> None:
    """A young file may be the one that a crawl is writing; an old one may hold what a fetch still refers to."""
    run = world.crawled(section("/a", "We make flour."))
    used = _file(world.archive, "used.warc.gz", 90)
    young = _file(world.archive, "young.warc.gz", 1)
    other = _file(world.archive, "notes.txt", 90)
    unused = _file(world.archive, "unused.warc.gz", 90)
    fetch = Fetch(
        company_id=MILL.id,
        url=MILL.url,
        final_url=MILL.url,
        status=FetchStatus.OK,
        fetched_at=now(),
        archived_at=ArchivedAt(file=used.name, offset=0),
    )
    world.store.save_fetches(run.id, [fetch])
    house = pipeline.keep_house(world.store, world.queue, world.archive, keep_days=30)
    assert house.archive_files_deleted == 1
    assert [path.exists() for path in (used, young, other, unused)] == [True, True, True, False]


def test_old_runs_that_newer_ones_replace_go(world: World) -> None:
    """Retention deletes a run of which nothing is left; the last run and its report stay."""
    old = Run(id="old", started_at=now() - timedelta(days=90))
    world.store.start_run(old, [], [])
    report = world.read(section("/a", "We filed for insolvency."))
    assert pipeline.keep_house(world.store, world.queue, world.archive, keep_days=30).runs_deleted == 1
    assert world.store.run("old") is None
    assert world.store.report(report.run_id, MILL.id) == report


def test_dead_letters_are_noted_and_counted(world: World) -> None:
    """Housekeeping tells how many sections were given up."""
    world.crawled(section("/b", "This is unreadable."))
    world.work()
    assert pipeline.keep_house(world.store, world.queue, world.archive, keep_days=30).dead_letters == 1


def test_an_archive_folder_that_is_not_there_is_no_error(world: World) -> None:
    """Before the first crawl there is nothing to keep."""
    house = pipeline.keep_house(world.store, world.queue, world.archive / "none", keep_days=30)
    assert (house.dead_letters, house.runs_deleted, house.archive_files_deleted) == (0, 0, 0)
