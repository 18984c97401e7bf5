"""Bytes in the queue, in the store and in the archive."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.planning.figures import Figures
from credit_signals.planning.loads import Load
from credit_signals.planning.wish import DAY, Wish

YEAR = 365 * DAY
MOST_DEAD_LETTERS = 10_000  # task_queue.QueueOptions.max_dead


@dataclass(frozen=True, slots=True)
class Storage:
    """All in bytes. `store_first`: after the first pass. `store_kept`: with as many passes as are kept."""

    redis: float
    store_first: float
    store_pass: float  # that a later pass adds
    store_kept: float
    store_year_unkept: float  # after a year in which nothing is deleted
    archive_first: float
    archive_pass: float
    archive_kept: float


def plan_storage(wish: Wish, first: Load, later: Load, figures: Figures) -> Storage:
    """Bytes of queue, store and archive.

    The archive keeps every page as fetched last, and what the kept passes fetched besides.
    """
    each_pass = _pass_rows(wish, later, figures)
    content = figures["section_row_bytes"] + figures["prediction_row_bytes"]
    new_content = later.read_sections * content
    findings = first.sites * figures["signals_per_company"] * figures["signal_row_bytes"]
    base = first.read_sections * content + findings
    store_first = base + _pass_rows(wish, first, figures)
    store_pass = each_pass + new_content
    later_passes = wish.passes_kept - 1
    archive_first = first.archive_bytes
    return Storage(
        redis=figures["redis_empty_bytes"] + (wish.queue_length + MOST_DEAD_LETTERS) * figures["redis_bytes_per_task"],
        store_first=store_first,
        store_pass=store_pass,
        store_kept=store_first + later_passes * store_pass,
        store_year_unkept=store_first + (YEAR / wish.every) * store_pass,
        archive_first=archive_first,
        archive_pass=later.archive_bytes,
        archive_kept=archive_first + later_passes * later.archive_bytes,
    )


def _pass_rows(wish: Wish, load: Load, figures: Figures) -> float:
    """Rows that each pass writes, changed or not: fetches, records, places of sections, tasks, reports."""
    return (
        wish.companies * figures["listing_row_bytes"]
        + load.requests * figures["fetch_row_bytes"]
        + load.sites * (figures["site_record_row_bytes"] + figures["report_row_bytes"] + figures["listed_row_bytes"])
        + load.sections * (figures["site_section_row_bytes"] + figures["task_row_bytes"])
    )
