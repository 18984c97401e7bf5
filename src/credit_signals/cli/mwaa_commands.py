"""`credit-signals mwaa`: the project for Amazon Managed Workflows for Apache Airflow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Build what Amazon MWAA takes (docs/mwaa.md).")


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for the files.", file_okay=False)],
    constraints: Annotated[
        Path,
        typer.Option(
            help="Airflow's constraints for the environment's Airflow and Python.", exists=True, dir_okay=False
        ),
    ],
    python: Annotated[str, typer.Option(help="The environment's Python.")] = "3.12",
    secrets: Annotated[
        str, typer.Option(help="Begin of the names of two secrets in AWS Secrets Manager: ...store-url, ...redis-url.")
    ] = "credit-signals/",
) -> None:
    """Write requirements, constraints, DAG files, plugins.zip and startup script from the project's sources."""
    from credit_signals.cli import mwaa_files
    from credit_signals.cli.show import say
    from credit_signals.settings import PROJECT_ROOT

    built = mwaa_files.build(mwaa_files.Wanted(PROJECT_ROOT, constraints, secrets, python))
    for each in built.differences:
        taken = "which stays" if each.taken == each.held else f"raised to {each.taken}"
        say(f"{each.name}: {each.by} asks for {each.asked}, Airflow holds {each.held}, {taken}", style="yellow")
    for name, size, digest in built.write(out):
        say(f"{digest}  {size:>9}  {name}")
