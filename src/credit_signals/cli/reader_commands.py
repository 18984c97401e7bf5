"""`credit-signals readers`: which readers there are, which one is at work and why, and how to change it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Registered readers: look at them, promote one by evidence, go back.

    A reader comes to work in three steps: [bold]register[/bold] its manifest with card and figures, let
    [bold]credit-signals evaluate[/bold] write the answers of it and of the present reader on the blind test split,
    then [bold]promote[/bold] it. It reads the runs that are opened from then on, without restart of a worker; runs in
    flight finish with the reader they began with. [bold]rollback[/bold] goes back by one.""",
)

ReaderId = Annotated[str, typer.Argument(help="Id of the reader, or as much of its beginning as is unique.")]
By = Annotated[str, typer.Option(help="Who decides, for the record (default: the user's name).")]


@app.command("list")
def list_readers() -> None:
    """List registered readers; the present one is marked."""
    from credit_signals.cli import readers

    readers.show_all()


@app.command()
def show(
    reader: Annotated[str, typer.Argument(help="Id or its beginning; left out: the present reader.")] = "",
) -> None:
    """Show a reader: files, figures, model card, and every decision about it."""
    from credit_signals.cli import readers

    readers.show_one(reader)


@app.command()
def history() -> None:
    """List every decision, oldest first: promotions, refusals, rollbacks, each with its reasons."""
    from credit_signals.cli import readers

    readers.show_history()


@app.command()
def register(
    manifest: Annotated[Path, typer.Argument(help="Manifest of the reader (TOML).", exists=True, dir_okay=False)],
    card: Annotated[Path, typer.Option(help="Model card (Markdown).", exists=True, dir_okay=False)],
    metrics: Annotated[Path, typer.Option(help="Figures, as evaluation wrote them (JSON).", exists=True)],
    data: Annotated[
        list[Path] | None, typer.Option(help="File that the reader was trained on; may be repeated.", dir_okay=False)
    ] = None,
    data_hash: Annotated[str, typer.Option(help="Instead of --data, where the files are elsewhere.")] = "",
) -> None:
    """Keep a reader in the store and print its id.

    It is not put to work, and its files stay where they are: leave them there.
    Doing it again changes nothing; from another folder, it tells workers the new place.
    """
    from credit_signals.cli import readers
    from credit_signals.tuning.registration import ReaderFiles

    readers.register(ReaderFiles(manifest, card, metrics, tuple(data or ()), data_hash))


@app.command()
def promote(
    reader: ReaderId,
    answers: Annotated[
        list[Path],
        typer.Option(
            help="Answers on the test split, as `evaluate` wrote them: its folder, or files (may be repeated). The "
            "candidate's and the present reader's must be there; the baseline's while no reader is present.",
            exists=True,
        ),
    ],
    may_lose: Annotated[
        float, typer.Option(help="Trade: how far either F1 may fall, beyond the interval.", min=0, max=1)
    ] = 0.0,
    cost_factor: Annotated[
        float | None, typer.Option(help="Trade: highest cost in multiples of the present reader's, 0.5: half.", min=0)
    ] = None,
    trade: Annotated[str, typer.Option(help="Why the trade is worth it; needed with either of the two.")] = "",
    by: By = "",
) -> None:
    """Put a reader to work if it is better (exit code 0), or say why not (exit code 1).

    It must beat the present reader in micro- and macro-F1, both beyond the 95% interval
    of the difference (paired bootstrap over documents), and cost no more.

    A trade loosens that. Half the cost at a loss of at most one point of F1:
    --may-lose 0.01 --cost-factor 0.5 --trade "twice as many companies a night"

    The reader is first opened in a process of its own: damaged weights are refused.
    Every decision is recorded, refusals too.
    """
    from credit_signals.cli import readers

    readers.promote(readers.Wanted(reader, answers, may_lose, cost_factor, trade, by))


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="What went wrong, for the record.")] = "no reason given",
    by: By = "",
) -> None:
    """Go back to the reader before the present one.

    Once more goes back to the one before that, in the end to the reader of the settings.
    The reader is first opened in a process of its own, as for a promotion.
    """
    from credit_signals.cli import readers

    readers.rollback(reason, by)
