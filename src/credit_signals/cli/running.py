"""The whole path without Airflow: `credit-signals run`."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from rich.console import Console

from credit_signals import pipeline, wiring
from credit_signals.cli.show import RunView
from credit_signals.cli.workers import Workers
from credit_signals.domain import CompanyReport, Run
from credit_signals.report import results_json
from credit_signals.settings import Settings
from credit_signals.store.base import ResultsStore

POLL_SECONDS = 0.3
CANCEL_SECONDS = 3.0  # for a cancelled crawl to close its connections and archive


@dataclass(frozen=True, slots=True)
class Watched:
    """A run in progress, as the caller watches it."""

    run: Run
    parts: wiring.Parts
    workers: Workers


def crawl_and_read(watched: Watched, settings: Settings, console: Console) -> None:
    """Crawl the run's companies here while the workers read; returns when every section is read or dead."""
    tools = wiring.crawl_tools(settings, watched.parts.store, watched.parts.queue)
    with crawling(watched.run.id, tools) as crawl:
        wait_until_read(watched, crawl, console)
        crawl.result()


@contextmanager
def crawling(run_id: str, tools: pipeline.CrawlTools) -> Iterator[Future[Counter[str]]]:
    """The crawl in a thread of its own; a block that ends early cancels it, and its archive is closed in order."""
    loop = asyncio.new_event_loop()
    done: Future[Counter[str]] = Future()

    async def crawl() -> None:
        try:
            done.set_result(await pipeline.crawl_shard(run_id, tools))
        except BaseException as error:
            done.set_exception(error)

    task = loop.create_task(crawl())
    thread = Thread(target=loop.run_until_complete, args=(task,), daemon=True, name="crawl")
    thread.start()
    try:
        yield done
    finally:
        if not done.done():
            loop.call_soon_threadsafe(task.cancel)
            thread.join(CANCEL_SECONDS)


def wait_until_read(watched: Watched, crawl: Future[Counter[str]], console: Console) -> None:
    """Show progress until the crawl is over and nothing is unread."""
    started = time.monotonic()
    store, queue, run_id = watched.parts.store, watched.parts.queue, watched.run.id
    with RunView(console) as view:
        while True:
            over = crawl.done()
            progress = pipeline.settle(run_id, store, queue) if over else store.progress(run_id)
            view.update(progress, time.monotonic() - started)
            if over and (crawl.exception() or not progress.unread):
                return
            watched.workers.keep_running(progress.answered)
            time.sleep(POLL_SECONDS)


def write_results(store: ResultsStore, run_id: str, reports: list[CompanyReport], path: Path) -> None:
    """Write the results as JSON (report/results.schema.json)."""
    results = results_json(run_id, reports, store.rejections(run_id))
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
