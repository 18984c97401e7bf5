"""`credit-signals tune questions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.tuning.output import Panel, print_figures

questions_app = typer.Typer()


@questions_app.command(rich_help_panel=Panel.DATA)
def questions(
    store: Annotated[
        str,
        typer.Option(
            help="Results store, as sqlite:///data/store.db.", envvar="CREDIT_SIGNALS_STORE_URL", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="Chats to write, JSON Lines.", dir_okay=False)],
    run_id: Annotated[str, typer.Option("--run", help="Run to take from; the latest when left out.")] = "",
    single: Annotated[float, typer.Option(help="Share of single questions.", min=0)] = 0.4,
    follow_up: Annotated[float, typer.Option(help="Share of conversations with follow-up questions.", min=0)] = 0.4,
    unanswerable: Annotated[float, typer.Option(help="Share of questions that the pages do not answer.", min=0)] = 0.2,
    count: Annotated[int, typer.Option(help="Most conversations; 0: as many as the shares allow.", min=0)] = 0,
    passages: Annotated[int, typer.Option(help="Sections shown with a question.", min=1)] = 3,
    templates: Annotated[
        Path | None, typer.Option(help="Templates in place of the project's (TOML).", exists=True, dir_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of choice and splits.")] = 1,
) -> None:
    """Spin questions with grounded answers from what a run found: facts, signals, activities, pages.

    For training generative readers and for measuring them: see `credit-signals evaluate --questions`.
    The answers are as right as what the run found. The file holds text of websites: keep it where that is allowed.
    """
    from credit_signals.store import SqlStore
    from credit_signals.tuning.questions.make import QuestionSettings, make_questions

    opened = SqlStore(store)
    try:
        opened.migrate()
        settings = QuestionSettings(single, follow_up, unanswerable, count, passages, seed)
        print_figures(make_questions(opened, run_id, out, settings, templates))
    finally:
        opened.close()
