"""The verbs: the only place where stages meet.

    open_run -> crawl_shard (crawl, graph, sections, plan, queue) -> work (in the workers)
    -> settle -> score_run -> write_pages

Each verb may be run twice: what is recorded is skipped, what was lost is done again.

What a verb needs is loaded when the verb is first asked for: a worker never loads what crawls or draws, for its memory
and its start count once for each pod.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from credit_signals.pipeline.crawling import CrawlTools, crawl_shard, enqueue_company
    from credit_signals.pipeline.holding import Hand
    from credit_signals.pipeline.housekeeping import HouseReport, keep_house
    from credit_signals.pipeline.judging import score_record, score_run
    from credit_signals.pipeline.observing import BatchDone, NoObserver, NoTraces, Part, Traces, WorkObserver
    from credit_signals.pipeline.opening import RunRequest, known_run, open_run
    from credit_signals.pipeline.pages import company_page, index_page, write_pages
    from credit_signals.pipeline.patience import Patience
    from credit_signals.pipeline.reading import WorkOptions, note_dead_letters, settle, sweep_unqueued, work
    from credit_signals.pipeline.scaling_workers import ReadingTime, ScaleLook, ScaleTools, WorkerScaler, scale
    from credit_signals.pipeline.shelf import ReaderShelf
    from credit_signals.pipeline.texts import read_lines

__all__ = [
    "BatchDone",
    "CrawlTools",
    "Hand",
    "HouseReport",
    "NoObserver",
    "NoTraces",
    "Part",
    "Patience",
    "ReaderShelf",
    "ReadingTime",
    "RunRequest",
    "ScaleLook",
    "ScaleTools",
    "Traces",
    "WorkObserver",
    "WorkOptions",
    "WorkerScaler",
    "company_page",
    "crawl_shard",
    "enqueue_company",
    "index_page",
    "keep_house",
    "known_run",
    "note_dead_letters",
    "open_run",
    "read_lines",
    "scale",
    "score_record",
    "score_run",
    "settle",
    "sweep_unqueued",
    "work",
    "write_pages",
]

_NAMES_IN = {
    "crawling": ("CrawlTools", "crawl_shard", "enqueue_company"),
    "holding": ("Hand",),
    "housekeeping": ("HouseReport", "keep_house"),
    "judging": ("score_record", "score_run"),
    "observing": ("BatchDone", "NoObserver", "NoTraces", "Part", "Traces", "WorkObserver"),
    "opening": ("RunRequest", "known_run", "open_run"),
    "pages": ("company_page", "index_page", "write_pages"),
    "patience": ("Patience",),
    "reading": ("WorkOptions", "note_dead_letters", "settle", "sweep_unqueued", "work"),
    "scaling_workers": ("ReadingTime", "ScaleLook", "ScaleTools", "WorkerScaler", "scale"),
    "shelf": ("ReaderShelf",),
    "texts": ("read_lines",),
}

if not TYPE_CHECKING:  # a type checker would take any name for known

    def __getattr__(name: str) -> object:
        module = next((module for module, names in _NAMES_IN.items() if name in names), "")
        if not module:
            raise AttributeError(f"module {__name__} has no attribute {name}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
        return value
