"""What a person reads and types: names, options, help. Each command loads its work when it is called, not before."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from credit_signals.cli import (
    evaluate_commands,
    model_commands,
    mwaa_commands,
    plan_commands,
    queue_commands,
    reader_commands,
    scale_commands,
)
from credit_signals.cli.tune_commands import tune_app
from credit_signals.errors import CreditSignalsError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="""Reads credit signals from company websites: a risk gauge with quoted evidence for each company.

    The whole path with one command: [bold]credit-signals run --companies FILE[/bold].
    Or stage by stage, with a Redis of your own (CREDIT_SIGNALS_REDIS_URL):
    [bold]crawl --queue[/bold], [bold]work[/bold], [bold]score[/bold], [bold]report[/bold].
    Every setting is an environment variable CREDIT_SIGNALS_*: [bold]credit-signals doctor[/bold] shows and checks them.
    The gauge is no probability of default.""",
    rich_markup_mode="rich",
)

CompaniesFile = Annotated[Path, typer.Option("--companies", help="CSV or Parquet: id, name, domain or URL, country.")]
Private = Annotated[
    bool, typer.Option("--allow-private-network", help="Also request private and loopback addresses (your own tests).")
]
Reread = Annotated[bool, typer.Option("--reread", help="Read every section again, changed or not.")]
RunId = Annotated[str, typer.Option("--run", help="Id of the run; the latest when left out.")]
SameRun = Annotated[str, typer.Option("--run", help="Go on with this run instead of a new one.")]
Pages = Annotated[int | None, typer.Option(help="Most pages per company (else that of the settings).", min=1)]
Seconds = Annotated[float | None, typer.Option(help="Most seconds per company (else that of the settings).", min=1)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the results to this file.", dir_okay=False)]


def main() -> None:
    """The door: every error that is raised on purpose, or by a file, becomes one sentence and exit code 2."""
    try:
        app()
    except CreditSignalsError as error:
        _refuse(str(error))
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _refuse(sentence: str) -> None:
    from credit_signals.telemetry.logs import logs_are_json

    if logs_are_json():
        logging.getLogger("credit_signals").critical(sentence)
    else:
        sys.stderr.write(f"credit-signals: {sentence}\n")
    sys.exit(2)


@app.command()
def run(
    companies: CompaniesFile,
    json_file: JsonFile = None,
    allow_private_network: Private = False,
    reread: Reread = False,
    workers: Annotated[int, typer.Option(help="Reader processes; 0: one per core.", min=0)] = 0,
    pages: Pages = None,
    seconds: Seconds = None,
    run_id: SameRun = "",
) -> None:
    """Crawl, read, score and report a list of companies, without Airflow."""
    from credit_signals.cli import stages

    wanted = stages.Crawl(companies, allow_private_network, reread, stages.Limits(pages, seconds), run_id)
    stages.run(wanted, workers, json_file)


@app.command()
def crawl(
    companies: CompaniesFile,
    allow_private_network: Private = False,
    reread: Reread = False,
    pages: Pages = None,
    seconds: Seconds = None,
    run_id: SameRun = "",
    queue: Annotated[bool, typer.Option("--queue", help="Also queue the sections that changed.")] = False,
) -> None:
    """Crawl a list of companies into pages, graphs and sections; prints the run's id."""
    from credit_signals.cli import stages

    wanted = stages.Crawl(companies, allow_private_network, reread, stages.Limits(pages, seconds), run_id)
    stages.crawl(wanted, queue)


@app.command()
def enqueue(run_id: RunId = "") -> None:
    """Queue the sections of a crawled run that wait for a reader."""
    from credit_signals.cli import stages

    stages.enqueue(run_id)


@app.command()
def work(
    burst: Annotated[bool, typer.Option("--burst", help="End when the queue is empty.")] = False,
) -> None:
    """Read sections from the queue until stopped (SIGTERM finishes the batch in hand)."""
    from credit_signals import settings
    from credit_signals.cli import working

    working.run_worker(settings.load(), burst)


@app.command()
def score(run_id: RunId = "", json_file: JsonFile = None) -> None:
    """Turn what was read in a run into signals, activities and gauges."""
    from credit_signals.cli import stages

    stages.score(run_id, json_file)


@app.command()
def report(
    domain: Annotated[str, typer.Argument(help="A company's domain; left out: all, with an index.")] = "",
    run_id: RunId = "",
    out: Annotated[Path | None, typer.Option(help="File (one domain) or folder (all).")] = None,
) -> None:
    """Write the HTML report of one company, or of all companies of a run."""
    from credit_signals.cli import stages

    stages.report(domain, run_id, out)


class GraphFormat(StrEnum):
    """How a domain graph is written."""

    SVG = "svg"
    GRAPHML = "graphml"
    JSON = "json"


@app.command()
def graph(
    domain: Annotated[str, typer.Argument(help="A company's domain.")],
    form: Annotated[GraphFormat, typer.Option("--format", help="Picture, or data for other tools.")] = GraphFormat.SVG,
    run_id: RunId = "",
) -> None:
    """Print the domain graph of a company's site."""
    from credit_signals.cli import stages

    sys.stdout.write(stages.graph_text(domain, form, run_id) + "\n")


@app.command()
def read(
    in_file: Annotated[
        Path, typer.Option("--in", help='JSON Lines of {"id", "text"}.', exists=True, dir_okay=False, readable=True)
    ],
    out_file: Annotated[
        Path, typer.Option("--out", help="JSON Lines of what the reader found, same order.", dir_okay=False)
    ],
) -> None:
    """Give texts straight to the present reader: no crawl, no queue, and nothing is stored."""
    from credit_signals.cli import stages

    stages.read(in_file, out_file)


@app.command()
def doctor() -> None:
    """Show the settings; check Redis, store, model and Airflow, and say what to do."""
    from credit_signals import settings
    from credit_signals.cli import checks

    chosen = settings.load()
    checks.show_settings(chosen)
    if not checks.run_checks(chosen):
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the store's schema up to date; several at once take turns."""
    from credit_signals.cli import serving

    serving.migrate()


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Show the results page of the store in a browser; /healthz and /readyz for probes."""
    from credit_signals.cli import serving

    serving.serve(host, port)


app.command()(evaluate_commands.evaluate)
app.command()(plan_commands.plan)
app.add_typer(mwaa_commands.app, name="mwaa")
app.add_typer(model_commands.app, name="model")
app.add_typer(queue_commands.app, name="queue")
app.add_typer(reader_commands.app, name="readers")
app.add_typer(scale_commands.app, name="scale")
app.add_typer(tune_app, name="tune")
