"""The verbs: the only place where stages meet.

    open_run -> crawl_shard (crawl, graph, sections, plan, queue) -> work (in the workers) -> settle -> score_run

Each verb may be run twice: what is recorded is skipped, what was lost is done again.
"""

from credit_signals.pipeline.crawling import CrawlTools, crawl_shard, enqueue_company
from credit_signals.pipeline.judging import score_record, score_run
from credit_signals.pipeline.opening import RunRequest, known_run, open_run
from credit_signals.pipeline.reading import WorkOptions, note_dead_letters, settle, sweep_unqueued, work

__all__ = [
    "CrawlTools",
    "RunRequest",
    "WorkOptions",
    "crawl_shard",
    "enqueue_company",
    "known_run",
    "note_dead_letters",
    "open_run",
    "score_record",
    "score_run",
    "settle",
    "sweep_unqueued",
    "work",
]
