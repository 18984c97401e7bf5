"""What must not grow for ever: old runs, their archive files, dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from credit_signals.domain import now
from credit_signals.pipeline.reading import note_dead_letters
from credit_signals.store.base import ResultsStore
from credit_signals.task_queue.base import TaskQueue


@dataclass(frozen=True, slots=True)
class HouseReport:
    """What housekeeping found and removed."""

    dead_letters: int
    runs_deleted: int
    archive_files_deleted: int


def keep_house(store: ResultsStore, queue: TaskQueue, archive_dir: Path, keep_days: int) -> HouseReport:
    """Note dead letters; delete runs older than `keep_days` and archive files that no kept run refers to.

    A young file stays even when nothing refers to it: a crawl may be writing it.
    """
    oldest = now() - timedelta(days=keep_days)
    dead = note_dead_letters(queue, store)
    runs = store.delete_runs_before(oldest)
    in_use = store.archive_files_in_use()
    unused = [
        path
        for path in archive_dir.glob("*.warc.gz")
        if path.name not in in_use and path.stat().st_mtime < oldest.timestamp()
    ]
    for path in unused:
        path.unlink(missing_ok=True)
    return HouseReport(dead, runs, len(unused))
