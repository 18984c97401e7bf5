"""`credit-signals tune`: the commands that make readers. Their heavy libraries are imported when one runs."""

from __future__ import annotations

import typer

from credit_signals.cli.labelling_commands import labelling_app
from credit_signals.cli.life_commands import life_app
from credit_signals.tuning.cascade_commands import cascade_app
from credit_signals.tuning.causal.commands import causal_app
from credit_signals.tuning.commands import encoder_app
from credit_signals.tuning.conversion.commands import conversion_app
from credit_signals.tuning.dataset.commands import dataset_app
from credit_signals.tuning.questions.commands import questions_app
from credit_signals.tuning.word_commands import words_app

tune_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="""Make readers (training and measuring need the extra [bold]tune[/bold]).

    [bold]life[/bold] does it all, from the sentences of a crawl to a reader at work; the other commands are its steps,
    in their order, for whoever wants to take one alone.""",
)
IN_ORDER = (  # in which their heads appear in the help
    dataset_app,
    questions_app,
    labelling_app,
    words_app,
    encoder_app,
    conversion_app,
    causal_app,
    cascade_app,
    life_app,
)
for part in IN_ORDER:
    tune_app.add_typer(part)
