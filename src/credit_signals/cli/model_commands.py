"""`credit-signals model`: files of a model, brought to where a reader opens them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Bring the files of a model to this machine.")


@app.callback()
def model() -> None:
    """Keep `fetch` a command of its own: typer folds a group of one command away."""


@app.command()
def fetch(
    url: Annotated[str, typer.Argument(help="https://, http:// or s3:// (extra `s3`; the pod's own role signs).")],
    sha256: Annotated[str, typer.Option(help="SHA-256 that the file must have, in hexadecimal.")],
    to: Annotated[Path, typer.Option(help="Where to put it.", dir_okay=False)],
    parts: Annotated[
        bool, typer.Option("--parts", help="The file is a manifest: fetch what it names from beside it, too.")
    ] = False,
) -> None:
    """Fetch a file, check its SHA-256, and only then put it in place.

    A broken transfer goes on where it broke. A file that is there already and is the right one is not fetched again.
    With --parts one hash vouches for all: the manifest holds those of its files.
    """
    from credit_signals.cli import fetching

    for path in fetching.fetch_reader(url, sha256, to) if parts else [fetching.fetch_file(url, sha256, to)]:
        typer.echo(f"{path}: as it should be")
