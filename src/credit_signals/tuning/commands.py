"""The commands that train readers: `credit-signals tune ...`.

The heavy libraries (extra `tune`) are imported when a command runs.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from credit_signals.tuning.cascade_commands import cascade_app
from credit_signals.tuning.causal.commands import causal_app
from credit_signals.tuning.conversion.commands import conversion_app
from credit_signals.tuning.dataset.commands import dataset_app
from credit_signals.tuning.labelling.commands import labelling_app
from credit_signals.tuning.questions.commands import questions_app
from credit_signals.tuning.word_commands import words_app

MODELS = Path("workers/section_reader/models")
TRAINING = Path("workers/section_reader/training")

tune_app = typer.Typer(no_args_is_help=True, help="Train readers (needs the extra `tune`).")
tune_app.add_typer(cascade_app)
tune_app.add_typer(causal_app)
tune_app.add_typer(conversion_app)
tune_app.add_typer(dataset_app)
tune_app.add_typer(labelling_app)
tune_app.add_typer(questions_app)
tune_app.add_typer(words_app)

Base = Annotated[Path, typer.Option(help="Folder with the encoder's safetensors and tokenizer.", exists=True)]
Teacher = Annotated[Path, typer.Option(help="Folder of labelled sentences, *.jsonl.", exists=True)]
Own = Annotated[Path, typer.Option(help="The project's own sentences: website_*.jsonl, news_*.jsonl.", exists=True)]
Out = Annotated[Path, typer.Option(help="Folder for weights and figures.")]
Seed = Annotated[int, typer.Option(help="Seed of splits, order and initial weights.")]


@tune_app.command()
def signals(
    teacher: Teacher,
    base: Base,
    out: Out,
    own: Own = TRAINING,
    epochs: Annotated[int, typer.Option(min=1)] = 6,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 32,
    seed: Seed = 1,
    start: Annotated[Path | None, typer.Option(help="model.pt of a run to go on from.", exists=True)] = None,
    everything: Annotated[
        bool, typer.Option(help="Train on the validation split too, with the calibration already in the folder.")
    ] = False,
) -> None:
    """Train adapter and heads for signals; writes heads.npz, section-signals.lora.gguf and signals-metrics.json."""
    from credit_signals.tuning.fit import FitSettings  # heavy
    from credit_signals.tuning.signals import Sources, train_signals  # heavy

    _show_progress()
    files = _sentence_files(teacher, own)
    settings = FitSettings(epochs=epochs, rank=rank, seed=seed)
    _print(train_signals(Sources(files, base, out, start), settings, everything=everything))


@tune_app.command()
def activities(
    schemes: Annotated[Path, typer.Option(help="Folder with the texts of NAICS 2022 and UK SIC 2007.", exists=True)],
    companies: Annotated[Path, typer.Option(help="JSON Lines with `summary` and GICS `industry`.", exists=True)],
    small: Annotated[Path, typer.Option(help="JSON Lines of descriptions with codes, to measure on.", exists=True)],
    out: Out,
    base: Annotated[Path, typer.Option(help="The encoder as GGUF.", exists=True)] = MODELS
    / "all-MiniLM-L6-v2.bf16.gguf",
    phrases: Annotated[Path, typer.Option(help="The project's own phrases with codes.", exists=True)] = TRAINING
    / "activity_phrases.jsonl",
    seed: Seed = 1,
) -> None:
    """Make the activity index; writes activity.npz and activity-metrics.json."""
    from credit_signals.tuning.activities import (  # heavy
        ActivitySources,
        IndexSettings,
        make_index,
    )

    _show_progress()
    _print(make_index(ActivitySources(base, schemes, phrases, companies, small, out), IndexSettings(seed=seed)))


def _sentence_files(teacher: Path, own: Path) -> tuple[Path, ...]:
    return (*sorted(teacher.glob("*.jsonl")), *sorted(own.glob("website_*.jsonl")), *sorted(own.glob("news_*.jsonl")))


def _show_progress() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _print(figures: dict[str, Any]) -> None:
    typer.echo(json.dumps(figures, indent=1))
