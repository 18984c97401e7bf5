"""From a company to its stored and queued sections: crawl, graph, sections, plan, queue."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from credit_signals.crawl import CrawlMemory, Fetcher, FetchLimits, WarcArchive, crawl_site, judge_site, site_faults
from credit_signals.domain import Company, Fetch, Page, Run, SectionTask, SiteStatus, now
from credit_signals.errors import QueueError, StoreError
from credit_signals.graph import build_site_graph
from credit_signals.pipeline.observing import NoTraces, Traces
from credit_signals.pipeline.opening import known_run
from credit_signals.sections import drop_repeats, find_site_facts, split_page
from credit_signals.store.base import ResultsStore, SiteRecord
from credit_signals.task_queue.base import TaskQueue

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CrawlTools:
    """What crawling needs. Without a queue, sections are stored and queued later by `sweep_unqueued`.

    `reader_id` reads the runs that were opened while no reader was promoted.
    """

    store: ResultsStore
    queue: TaskQueue | None
    reader_id: str
    archive_dir: Path
    limits: FetchLimits
    hosts: int = 50  # sites crawled at once
    traces: Traces = field(default_factory=NoTraces)


async def crawl_shard(
    run_id: str, tools: CrawlTools, shard: int = 0, shards: int = 1, on_site: Callable[[SiteRecord], None] | None = None
) -> Counter[str]:
    """Crawl the shard's companies, many at once, and queue what changed. Counts of companies by status.

    Companies that this run has crawled already are not fetched again; a company whose crawl was cut short goes on
    from its recorded fetches.
    """
    store = tools.store
    run = known_run(store, run_id)
    companies = await asyncio.to_thread(store.companies, run_id, shard, shards)
    counts: Counter[str] = Counter()
    gate = asyncio.Semaphore(tools.hosts)
    with WarcArchive(tools.archive_dir, f"{run_id}-{shard:04d}") as archive:
        async with Fetcher(tools.limits, archive) as fetcher:

            async def one(company: Company) -> None:
                async with gate:
                    record = await _crawl_company(run, company, fetcher, tools)
                counts[record.status] += 1
                if on_site:
                    on_site(record)

            try:
                async with asyncio.TaskGroup() as group:
                    for company in companies:
                        group.create_task(one(company))
            except ExceptionGroup as failures:  # the first one cancelled the others; callers know it by its type
                raise failures.exceptions[0] from failures
    return counts


async def _crawl_company(run: Run, company: Company, fetcher: Fetcher, tools: CrawlTools) -> SiteRecord:
    with tools.traces.crawling(run.id, company.id):
        return await _crawl_and_queue(run, company, fetcher, tools)


async def _crawl_and_queue(run: Run, company: Company, fetcher: Fetcher, tools: CrawlTools) -> SiteRecord:
    store = tools.store
    record = await asyncio.to_thread(store.site, run.id, company.id)
    if record is None:
        try:
            record = await _crawl_site(run, company, fetcher, store)
        except (StoreError, QueueError, OSError):
            raise  # not this company's fault: the run stops and resumes later
        except Exception as error:  # the door of one company: its failure is recorded and the others go on
            names = {"run": run.id, "company": company.id}
            log.exception("company %s (%s): crawl failed", company.id, company.domain, extra=names)
            reason = f"{type(error).__name__}: {error}"[:300]
            record = SiteRecord(run.id, company.id, SiteStatus.FAILED, reason, 0, "", now())
        with tools.traces.step("store.sections", [section.id for section in record.sections]):
            await asyncio.to_thread(store.save_site, record)
    await asyncio.to_thread(enqueue_company, run, record, tools)
    return record


async def _crawl_site(run: Run, company: Company, fetcher: Fetcher, store: ResultsStore) -> SiteRecord:
    done = await asyncio.to_thread(store.fetches, run.id, company.id)
    archived = await asyncio.to_thread(store.archived_fetches, company.id)
    fetches: list[Fetch] = []
    pages: list[Page] = []
    async for fetch, page in crawl_site(company, fetcher, run.budget, CrawlMemory(done, archived)):
        fetches.append(fetch)
        await asyncio.to_thread(store.save_fetches, run.id, [fetch])
        if page is not None:
            pages.append(page)
    return await asyncio.to_thread(_site_record, run, company, fetches, pages, list(archived.values()))


def _site_record(
    run: Run, company: Company, fetches: list[Fetch], pages: list[Page], previous: list[Fetch]
) -> SiteRecord:
    status, reason = judge_site(company, fetches, pages)
    split = [split_page(page) for page in pages]
    sections, dropped = drop_repeats(split)
    if status is not SiteStatus.READ:
        sections = []
    elif not sections:
        status, reason = SiteStatus.EMPTY, "no page has readable text"
    languages = Counter(section.language for section in sections if section.language)
    facts = site_faults(company, fetches, pages, previous)
    if sections:
        facts = [*find_site_facts(pages, sections, company.country), *facts]
    return SiteRecord(
        run_id=run.id,
        company_id=company.id,
        status=status,
        reason=reason,
        pages=len(pages),
        language=languages.most_common(1)[0][0] if languages else "",
        crawled_at=now(),
        graph=build_site_graph(company.id, pages, fetches),
        facts=tuple(facts),
        dropped=tuple(dropped),
        sections=tuple(sections),
    )


def enqueue_company(run: Run, record: SiteRecord, tools: CrawlTools) -> int:
    """Plan the sections that have no answer yet and put them on the queue; waits while the queue is full."""
    reader_id = run.reader_id or tools.reader_id
    tasks = [SectionTask.build(section, reader_id) for section in record.sections]
    waiting = tools.store.plan_tasks(run.id, record.company_id, tasks, run.reread)
    if tools.queue is not None and waiting:
        with tools.traces.sending(waiting) as traces:
            tools.queue.put(waiting, traces=traces)
        tools.store.mark_queued([task.id for task in waiting])
    return len(waiting)
