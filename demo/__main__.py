"""`./run demo`: start every part on loopback, trigger the DAG, show progress, print the results, stay up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from credit_signals import pipeline, settings, wiring
from credit_signals.children import end_child, free_port, start_child
from credit_signals.cli import running, show
from credit_signals.cli.workers import IDLE_SECONDS, Workers, child_environment, default_workers
from credit_signals.errors import CreditSignalsError
from demo.launcher import AirflowParts

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_WEB = ROOT / "tests" / "sample_web"
DAG = "crawl_companies"
FAILED = {"failed"}
POLL_SECONDS = 0.5

screen = show.screen


@contextmanager
def sample_web() -> Iterator[dict[str, str]]:
    """The sample web as a child for the length of a block; the `connect_to` setting that leads to it."""
    child = start_child([sys.executable, SAMPLE_WEB / "server.py"], output=subprocess.PIPE)
    try:
        port, connect_to = (child.stdout.readline() for _ in range(2)) if child.stdout else (b"", b"")
        if not port.strip().isdigit():
            raise CreditSignalsError(f"the sample web did not start: {port.decode(errors='replace').strip()}")
        yield json.loads(connect_to)
    finally:
        end_child(child)


@contextmanager
def results_page(chosen: settings.Settings, log_file: Path) -> Iterator[str]:
    """The results page as a child for the length of a block; its URL."""
    port = free_port()
    command = [sys.executable, "-m", "credit_signals.cli", "serve", "--port", str(port)]
    with log_file.open("wb") as output:
        child = start_child(command, env=child_environment(chosen), output=output)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        end_child(child)


def follow(airflow: AirflowParts, dag_run: str, run_id: str, parts: wiring.Parts, workers: Workers) -> None:
    """Show progress until the DAG run ends. Raises CreditSignalsError when it fails."""
    started = time.monotonic()
    with show.RunView(screen) as view:
        while True:
            state = airflow.state(DAG, dag_run)
            if parts.store.run(run_id) is not None:
                progress = parts.store.progress(run_id)
                view.update(progress, time.monotonic() - started)
                workers.keep_running(progress.answered)
            if state == "success":
                return
            if state in FAILED:
                raise CreditSignalsError(f"DAG run {dag_run} failed; see {airflow.url}dags/{DAG}/runs/{dag_run}")
            time.sleep(POLL_SECONDS)


def demo(
    exit_after: Annotated[bool, typer.Option("--exit", help="End after the table instead of staying up.")] = False,
    companies: Annotated[Path | None, typer.Option(help="Your own list (CSV, Parquet); else the sample.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the results to this file.")] = None,
    allow_private_network: Annotated[
        bool, typer.Option("--allow-private-network", help="With your own list: also request private addresses.")
    ] = False,
    data: Annotated[Path, typer.Option(help="Folder of the demo's data.")] = ROOT / ".data" / "demo",
) -> None:
    """The whole platform on this machine: Redis, reader workers, Airflow, sample web, results page."""
    began = time.monotonic()
    logs = data / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    chosen = settings.load().model_copy(
        update={
            "data_dir": data.resolve(),
            "queue_idle_seconds": IDLE_SECONDS,
            "allow_private_network": allow_private_network,
        }
    )
    with ExitStack() as stack:
        if companies is None:
            web = stack.enter_context(sample_web())
            sample = {"allow_private_network": True, "connect_to": web, "min_delay": 0.0}
            chosen = chosen.model_copy(update=sample)
        chosen = stack.enter_context(wiring.with_redis(chosen))
        parts = stack.enter_context(wiring.opened(chosen))
        workers = stack.enter_context(Workers(chosen, default_workers()))
        screen.print("starting Airflow ...", style="dim")
        airflow = stack.enter_context(AirflowParts(data / "airflow", ROOT / "dags", child_environment(chosen)))
        listed = (companies or SAMPLE_WEB / "companies.csv").resolve()
        dag_run = airflow.trigger(DAG, {"companies": str(listed)})
        screen.print(f"up after {time.monotonic() - began:.0f} s; DAG {DAG} triggered: {airflow.url}", style="dim")
        run_id = dag_run
        follow(airflow, dag_run, run_id, parts, workers)
        reports = parts.store.reports(run_id)
        folder = pipeline.write_pages(run_id, parts.store, chosen.reports_dir / run_id)
        screen.print(show.results_table(reports))
        if json_file:
            running.write_results(parts.store, run_id, reports, json_file)
        screen.print(f"report  {folder / 'index.html'}", highlight=False)
        if exit_after:
            return
        page = stack.enter_context(results_page(chosen, logs / "results-page.log"))
        screen.print(f"results {page}\nAirflow {airflow.url}\nCtrl-C ends everything.", highlight=False)
        try:
            while (latest := parts.store.latest_run()) is not None:
                progress = parts.store.progress(latest.id)  # of a run that was started in Airflow's page, perhaps
                workers.keep_running(progress.answered)
                time.sleep(2)
        except KeyboardInterrupt:
            screen.print("ending ...", style="dim")


def main() -> None:
    """The door: a deliberate error is one sentence and exit code 2."""
    try:
        typer.run(demo)
    except CreditSignalsError as error:
        Console(stderr=True).print(f"demo: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
