"""What the commands do."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from credit_signals import graph, pipeline, settings, wiring
from credit_signals.cli import running
from credit_signals.cli.show import results_table, say, screen
from credit_signals.cli.workers import IDLE_SECONDS, Workers, default_workers
from credit_signals.domain import Budget, Company, Run
from credit_signals.errors import CreditSignalsError
from credit_signals.intake import read_companies
from credit_signals.store.base import ResultsStore

INTERRUPTED = 128 + signal.SIGINT  # as a shell counts it


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a company's crawl as they were typed; None: that of the settings."""

    pages: int | None = None
    seconds: float | None = None

    def of(self, budget: Budget) -> Budget:
        """The budget with these limits."""
        typed = {"pages": self.pages, "seconds": self.seconds}
        return budget.model_copy(update={name: value for name, value in typed.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Crawl:
    """What is to be crawled."""

    companies: Path
    allow_private_network: bool = False
    reread: bool = False
    limits: Limits = Limits()
    run_id: str = ""  # empty: a new run

    def chosen(self) -> settings.Settings:
        """The settings for it."""
        chosen = settings.load()
        return chosen.model_copy(update={"allow_private_network": True}) if self.allow_private_network else chosen

    def open(self, store: ResultsStore, chosen: settings.Settings) -> Run:
        """Record the run; refused lines of the list are shown. Raises CompanyListError."""
        found, rejected = read_companies(self.companies)
        for line in rejected:
            say(f"line {line.line} rejected: {line.reason}", style="yellow")
        budget = self.limits.of(chosen.budget)
        return pipeline.open_run(store, pipeline.RunRequest(found, rejected, budget, self.reread, self.run_id))


def run(wanted: Crawl, workers: int, json_file: Path | None) -> None:
    """The whole path. Ctrl-C and SIGTERM end it with all its children; the same run can go on later."""
    chosen = wanted.chosen()
    if not chosen.redis_url.get_secret_value():  # the queue is this run's own, and so is its idle time
        chosen = chosen.model_copy(update={"queue_idle_seconds": min(IDLE_SECONDS, chosen.queue_idle_seconds)})
    _log_to(chosen.data_dir / "logs" / "run.log")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(wanted, chosen, workers or default_workers(), json_file)
    except KeyboardInterrupt:
        say("stopped; what was fetched and read is kept, and `--run ID` goes on with the run", style="yellow")
        sys.stdout.flush()
        os._exit(INTERRUPTED)  # children have ended; threads that wait for a site or the queue are not waited for


def _run(wanted: Crawl, chosen: settings.Settings, workers: int, json_file: Path | None) -> None:
    with wiring.with_redis(chosen) as served, wiring.opened(served) as parts:
        opened = wanted.open(parts.store, served)
        say(f"run {opened.id}; log: {chosen.data_dir / 'logs' / 'run.log'}")
        with Workers(served, workers) as started:
            running.crawl_and_read(running.Watched(opened, parts, started), served, screen)
        reports = list(pipeline.score_run(opened.id, parts.store, wiring.open_weights(served)))
        pages = pipeline.write_pages(opened.id, parts.store, served.reports_dir / opened.id)
        screen.print(results_table(reports))
        if json_file:
            running.write_results(parts.store, opened.id, reports, json_file)
    say(f"run {opened.id}: {len(reports)} companies; report: {pages / 'index.html'}")


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=path, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def crawl(wanted: Crawl, queued: bool) -> None:
    """Crawl a list; counts by status, then the run's id alone on the last line."""
    chosen = wanted.chosen()
    store = wiring.open_store(chosen)
    queue = wiring.open_queue(chosen) if queued else None
    opened = wanted.open(store, chosen)
    counts = asyncio.run(pipeline.crawl_shard(opened.id, wiring.crawl_tools(chosen, store, queue)))
    for status, count in counts.most_common():
        say(f"{status}: {count}")
    say(opened.id)


def enqueue(run_id: str) -> None:
    """Queue what a run left unqueued."""
    with wiring.opened(settings.load()) as parts:
        count = pipeline.sweep_unqueued(_chosen_run(parts.store, run_id), parts.store, parts.queue)
    say(f"{count} sections queued")


def score(run_id: str, json_file: Path | None) -> None:
    """Score a run and show its table."""
    chosen = settings.load()
    store = wiring.open_store(chosen)
    chosen_run = _chosen_run(store, run_id)
    reports = list(pipeline.score_run(chosen_run, store, wiring.open_weights(chosen)))
    screen.print(results_table(reports))
    if json_file:
        running.write_results(store, chosen_run, reports, json_file)


def report(domain: str, run_id: str, out: Path | None) -> None:
    """Write HTML and say where."""
    chosen = settings.load()
    store = wiring.open_store(chosen)
    chosen_run = _chosen_run(store, run_id)
    if domain:
        company = _company(store, domain)
        target = out or Path(f"{company.domain.replace(':', '_')}.html")
        target.write_text(pipeline.company_page(chosen_run, company, store), encoding="utf-8")
    else:
        target = pipeline.write_pages(chosen_run, store, out or chosen.reports_dir / chosen_run)
    say(str(target))


def graph_text(domain: str, form: str, run_id: str) -> str:
    """The domain graph as `svg`, `graphml` or `json`."""
    store = wiring.open_store(settings.load())
    record = store.site(_chosen_run(store, run_id), _company(store, domain).id)
    if record is None or record.graph is None:
        raise CreditSignalsError(f"{domain}: no graph; it was not crawled in that run")
    write = {"svg": graph.to_svg, "graphml": graph.to_graphml, "json": graph.to_json}
    return write[form](record.graph)


def read(in_file: Path, out_file: Path) -> None:
    """Read the texts of a file."""
    reader = wiring.open_present_reader(settings.load())
    lines = 0
    with in_file.open(encoding="utf-8", errors="replace") as texts, out_file.open("w", encoding="utf-8") as results:
        for answer in pipeline.read_lines(reader, texts):
            results.write(json.dumps(answer, ensure_ascii=False) + "\n")
            lines += 1
    reader.close()
    say(f"{lines} lines read into {out_file}")


def _chosen_run(store: ResultsStore, run_id: str) -> str:
    if run_id:
        return pipeline.known_run(store, run_id).id
    latest = store.latest_run()
    if latest is None:
        raise CreditSignalsError("the store holds no run yet; start with `credit-signals run --companies FILE`")
    return latest.id


def _company(store: ResultsStore, domain: str) -> Company:
    company = store.find_company(domain.lower().removeprefix("www."))
    if company is None:
        raise CreditSignalsError(f"{domain}: no such domain in the store")
    return company
