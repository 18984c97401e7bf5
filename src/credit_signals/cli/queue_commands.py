"""`credit-signals queue`: what waits, what failed for good, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from credit_signals.task_queue.base import TaskQueue

app = typer.Typer(no_args_is_help=True, help="Look at the task queue and its dead letters.")


def _queue() -> TaskQueue:
    from credit_signals import settings, wiring

    return wiring.open_queue(settings.load())


@app.command()
def status() -> None:
    """Counts: waiting, delivered, dead, consumers, age of the oldest."""
    counts = _queue().status()
    for name in counts.__slots__:
        value = getattr(counts, name)
        typer.echo(f"{name:<15} {value:.1f}" if isinstance(value, float) else f"{name:<15} {value}")


@app.command()
def dead(limit: Annotated[int, typer.Option(help="Most to show.", min=1)] = 50) -> None:
    """List dead letters, newest first, each with its reason."""
    from rich.table import Table
    from rich.text import Text

    from credit_signals.cli.show import screen

    letters = _queue().dead_letters(limit)
    if not letters:
        typer.echo("no dead letters")
        return
    table = Table("entry", "failed", "attempts", "page", "reason")
    for letter in letters:
        page = letter.task.section.url if letter.task else "-"
        failed_at = letter.failed_at.isoformat(timespec="seconds")
        table.add_row(letter.entry_id, failed_at, str(letter.attempts), Text(page), Text(letter.reason))
    screen.print(table)


@app.command()
def retry(entries: Annotated[list[str] | None, typer.Argument(help="Entry ids; none: all.")] = None) -> None:
    """Put dead letters back on the queue."""
    typer.echo(f"{_queue().retry_dead(entries)} dead letters put back")


@app.command()
def purge(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Delete all dead letters."""
    if not yes:
        typer.confirm("Delete all dead letters?", abort=True)
    typer.echo(f"{_queue().purge_dead()} dead letters deleted")
