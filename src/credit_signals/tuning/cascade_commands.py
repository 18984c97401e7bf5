"""The command that tunes a cascade: `credit-signals tune cascade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.tuning.output import Panel, print_figures

cascade_app = typer.Typer()


@cascade_app.command(rich_help_panel=Panel.CHOOSING)
def cascade(
    teacher: Annotated[
        list[Path], typer.Argument(metavar="LABELLED", help="JSON Lines of labelled sentences.", exists=True)
    ],
    second: Annotated[Path, typer.Option(help="Manifest of a generative reader.", exists=True)],
    out: Annotated[Path, typer.Option(help="Folder for cascade.json, cascade.png and cascade.toml.")],
    cheap: Annotated[Path, typer.Option(help="Manifest of an encoder reader.", exists=True)] = Path(
        "workers/section_reader/encoder.toml"
    ),
    languages: Annotated[str, typer.Option(help="Codes with commas between; empty: all.")] = "en",
    budget: Annotated[float, typer.Option(min=0, help="Questions per section of ten sentences.")] = 1.0,
    least_margin: Annotated[float, typer.Option(min=0, max=1, help="Below it a statement stays unsure.")] = 0.1,
    most: Annotated[int, typer.Option(min=0, help="Sentences of a split that are asked about; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the splits.")] = 1,
) -> None:
    """Choose the bounds within which a second reader is asked, on a cost curve; print figures with and without it."""
    from credit_signals.tuning.cascade import CascadeSettings, tune_cascade  # loads models
    from credit_signals.tuning.teacher import in_languages, load_teacher

    sentences = in_languages(load_teacher(teacher), languages)
    settings = CascadeSettings(budget=budget, least_margin=least_margin, seed=seed, most=most)
    print_figures(tune_cascade(sentences, (cheap, second), out, settings))
