"""The commands. Each reads the settings, opens its parts and calls the pipeline."""

from __future__ import annotations

import asyncio
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from credit_signals import graph, pipeline, settings, wiring
from credit_signals.cli import doctor as doctor_checks
from credit_signals.cli import queue_commands, running, show, working
from credit_signals.domain import Budget, Company, Run
from credit_signals.errors import CreditSignalsError
from credit_signals.intake import read_companies
from credit_signals.store.base import ResultsStore
from credit_signals.web import create_app

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="""Reads credit signals from company websites: a risk gauge with quoted evidence for each company.

    The whole path with one command: [bold]credit-signals run --companies FILE[/bold].
    Or stage by stage, with a Redis of your own (CREDIT_SIGNALS_REDIS_URL):
    [bold]crawl[/bold], [bold]work[/bold], [bold]score[/bold], [bold]report[/bold].
    Every setting is an environment variable CREDIT_SIGNALS_*: [bold]credit-signals doctor[/bold] shows and checks them.
    The gauge is no probability of default.""",
    rich_markup_mode="rich",
)
app.add_typer(queue_commands.app, name="queue")

CompaniesFile = Annotated[Path, typer.Option("--companies", help="CSV or Parquet: id, name, domain or URL, country.")]
Private = Annotated[
    bool, typer.Option("--allow-private-network", help="Also request private and loopback addresses (your own tests).")
]
Reread = Annotated[bool, typer.Option("--reread", help="Read every section again, changed or not.")]
RunId = Annotated[str, typer.Option("--run", help="Id of the run; the latest when left out.")]
Pages = Annotated[int, typer.Option(help="Most pages per company.", min=1)]
Seconds = Annotated[float, typer.Option(help="Most seconds per company.", min=1)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the results to this file.")]

DEFAULTS = Budget()
screen = Console()


def main() -> None:
    """The door: every error that is raised on purpose becomes one sentence and exit code 2."""
    try:
        app()
    except CreditSignalsError as error:
        Console(stderr=True).print(f"credit-signals: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)


def _settings(allow_private: bool) -> settings.Settings:
    loaded = settings.load()
    return loaded.model_copy(update={"allow_private_network": True}) if allow_private else loaded


def _open_run(store: ResultsStore, companies: Path, budget: Budget, reread: bool, run_id: str = "") -> Run:
    found, rejected = read_companies(companies)
    for line in rejected:
        screen.print(f"line {line.line} rejected: {line.reason}", style="yellow", markup=False, highlight=False)
    request = pipeline.RunRequest(found, rejected, budget, reread, run_id)
    return pipeline.open_run(store, request)


def _chosen_run(store: ResultsStore, run_id: str) -> str:
    if run_id:
        return pipeline.known_run(store, run_id).id
    latest = store.latest_run()
    if latest is None:
        raise CreditSignalsError("the store holds no run yet; start with `credit-signals run --companies FILE`")
    return latest.id


@app.command()
def run(
    companies: CompaniesFile,
    json_file: JsonFile = None,
    allow_private_network: Private = False,
    reread: Reread = False,
    workers: Annotated[int, typer.Option(help="Reader processes; 0: one per core.", min=0)] = 0,
    pages: Pages = DEFAULTS.pages,
    seconds: Seconds = DEFAULTS.seconds,
    run_id: Annotated[str, typer.Option("--run", help="Go on with this run instead of a new one.")] = "",
) -> None:
    """Crawl, read, score and report a list of companies, without Airflow."""
    chosen = _settings(allow_private_network)
    with wiring.with_redis(chosen) as chosen, wiring.opened(chosen) as parts:
        budget = DEFAULTS.model_copy(update={"pages": pages, "seconds": seconds})
        opened = _open_run(parts.store, companies, budget, reread, run_id)
        with running.workers_started(chosen, workers or running.default_workers()) as started:
            running.crawl_and_read(running.Watched(opened, parts, started), chosen, screen)
        reports = list(pipeline.score_run(opened.id, parts.store, wiring.open_weights(chosen)))
        pages_dir = pipeline.write_pages(opened.id, parts.store, chosen.reports_dir / opened.id)
        screen.print(show.results_table(reports))
        if json_file:
            running.write_results(parts.store, opened.id, reports, json_file)
    screen.print(f"run {opened.id}: {len(reports)} companies; report: {pages_dir / 'index.html'}", highlight=False)


@app.command()
def crawl(
    companies: CompaniesFile,
    allow_private_network: Private = False,
    reread: Reread = False,
    pages: Pages = DEFAULTS.pages,
    seconds: Seconds = DEFAULTS.seconds,
    run_id: Annotated[str, typer.Option("--run", help="Go on with this run instead of a new one.")] = "",
    queue: Annotated[bool, typer.Option(help="Also queue the sections that changed.")] = False,
) -> None:
    """Crawl a list of companies into pages, graphs and sections; prints the run's id."""
    chosen = _settings(allow_private_network)
    store = wiring.open_store(chosen)
    waiting = wiring.open_queue(chosen) if queue else None
    budget = DEFAULTS.model_copy(update={"pages": pages, "seconds": seconds})
    opened = _open_run(store, companies, budget, reread, run_id)
    counts = asyncio.run(pipeline.crawl_shard(opened.id, wiring.crawl_tools(chosen, store, waiting)))
    for status, count in counts.most_common():
        screen.print(f"{status}: {count}", highlight=False)
    screen.print(opened.id, highlight=False)


@app.command()
def enqueue(run_id: RunId = "") -> None:
    """Queue a crawled run's sections that wait for a reader and are not queued yet."""
    with wiring.opened(settings.load()) as parts:
        count = pipeline.sweep_unqueued(_chosen_run(parts.store, run_id), parts.store, parts.queue)
    screen.print(f"{count} sections queued", highlight=False)


@app.command()
def work(
    burst: Annotated[bool, typer.Option("--burst", help="End when the queue is empty.")] = False,
) -> None:
    """Read sections from the queue until stopped (SIGTERM finishes the batch in hand)."""
    working.run_worker(settings.load(), burst)


@app.command()
def score(run_id: RunId = "", json_file: JsonFile = None) -> None:
    """Turn what was read in a run into signals, activities and gauges."""
    chosen = settings.load()
    store = wiring.open_store(chosen)
    chosen_run = _chosen_run(store, run_id)
    reports = list(pipeline.score_run(chosen_run, store, wiring.open_weights(chosen)))
    screen.print(show.results_table(reports))
    if json_file:
        running.write_results(store, chosen_run, reports, json_file)


@app.command()
def report(
    domain: Annotated[str, typer.Argument(help="A company's domain; left out: all, with an index.")] = "",
    run_id: RunId = "",
    out: Annotated[Path | None, typer.Option(help="File (one domain) or folder (all).")] = None,
) -> None:
    """Write the HTML report of one company, or of all companies of a run."""
    chosen = settings.load()
    store = wiring.open_store(chosen)
    chosen_run = _chosen_run(store, run_id)
    if domain:
        target = out or Path(f"{domain}.html")
        target.write_text(pipeline.company_page(chosen_run, _company(store, domain), store), encoding="utf-8")
    else:
        target = pipeline.write_pages(chosen_run, store, out or chosen.reports_dir / chosen_run)
    screen.print(str(target), highlight=False)


class GraphFormat(StrEnum):
    """How a domain graph is written."""

    SVG = "svg"
    GRAPHML = "graphml"
    JSON = "json"


@app.command("graph")
def graph_command(
    domain: Annotated[str, typer.Argument(help="A company's domain.")],
    form: Annotated[GraphFormat, typer.Option("--format", help="Picture, or data for other tools.")] = GraphFormat.SVG,
    run_id: RunId = "",
) -> None:
    """Print the domain graph of a company's site."""
    store = wiring.open_store(settings.load())
    record = store.site(_chosen_run(store, run_id), _company(store, domain).id)
    if record is None or record.graph is None:
        raise CreditSignalsError(f"{domain}: no graph; it was not crawled in that run")
    write = {GraphFormat.SVG: graph.to_svg, GraphFormat.GRAPHML: graph.to_graphml, GraphFormat.JSON: graph.to_json}
    sys.stdout.write(write[form](record.graph) + "\n")


def _company(store: ResultsStore, domain: str) -> Company:
    company = store.find_company(domain)
    if company is None:
        raise CreditSignalsError(f"{domain}: no such domain in the store")
    return company


@app.command()
def read(
    in_file: Annotated[Path, typer.Option("--in", help='JSON Lines of {"id", "text"}.')],
    out_file: Annotated[Path, typer.Option("--out", help="JSON Lines of what the reader found, same order.")],
) -> None:
    """Give texts straight to the reader: no crawl, no queue, no store."""
    reader = wiring.open_present_reader(settings.load())
    lines = 0
    with in_file.open(encoding="utf-8", errors="replace") as texts, out_file.open("w", encoding="utf-8") as results:
        for answer in pipeline.read_lines(reader, texts):
            results.write(json.dumps(answer, ensure_ascii=False) + "\n")
            lines += 1
    reader.close()
    screen.print(f"{lines} lines read into {out_file}", highlight=False)


@app.command()
def doctor() -> None:
    """Check Redis, store, model and Airflow, and say what to do."""
    if not doctor_checks.run_checks(settings.load(), screen):
        raise typer.Exit(1)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Show the results page of the store in a browser."""
    store = wiring.open_store(settings.load())
    uvicorn.run(create_app(store), host=host, port=port, log_level="warning")
