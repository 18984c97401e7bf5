"""The commands that train the encoder's reader: `credit-signals tune signals` and `activities`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.tuning.output import OWN_TEXTS, Panel, print_figures, show_progress

MODELS = Path("workers/section_reader/models")
PHRASES = OWN_TEXTS / "activity_phrases.jsonl"

encoder_app = typer.Typer()

Base = Annotated[Path, typer.Option(help="Folder with the encoder's safetensors and tokenizer.", exists=True)]
Teacher = Annotated[Path, typer.Option(help="Folder of labelled sentences, *.jsonl.", exists=True)]
Own = Annotated[Path, typer.Option(help="The project's own sentences: website_*.jsonl, news_*.jsonl.", exists=True)]
Out = Annotated[Path, typer.Option(help="Folder for weights and figures.")]
Seed = Annotated[int, typer.Option(help="Seed of splits, order and initial weights.")]
Phrases = Annotated[Path, typer.Option(help="The project's own phrases with codes.", exists=True)]


@encoder_app.command(rich_help_panel=Panel.TRAINING)
def signals(
    teacher: Teacher,
    base: Base,
    out: Out,
    own: Own = OWN_TEXTS,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds over the sentences.")] = 6,
    rank: Annotated[int, typer.Option(min=0, help="Rank of the adapter; 0: train the encoder in full.")] = 32,
    schemes: Annotated[
        Path | None, typer.Option(help="In full: as of `activities`, whose texts the encoder is to embed as before.")
    ] = None,
    companies: Annotated[Path | None, typer.Option(help="In full: as of `activities`.")] = None,
    phrases: Phrases = PHRASES,
    seed: Seed = 1,
    start: Annotated[Path | None, typer.Option(help="model.pt of a run to go on from.", exists=True)] = None,
    everything: Annotated[
        bool, typer.Option(help="Train on the validation split too, with the calibration already in the folder.")
    ] = False,
) -> None:
    """Train adapter and heads for signals; writes heads.npz, section-signals.lora.gguf and signals-metrics.json.

    With --rank 0 the encoder learns in full, which is better by far and makes an encoder of its own: the folder
    `encoder`, for `convert`, takes the adapter's place. With --schemes and --companies it goes on embedding what the
    activity index is made of as before; make that index anew afterwards.
    """
    from credit_signals.tuning.activities import IndexSettings  # heavy
    from credit_signals.tuning.activity_data import texts_of_activities  # heavy
    from credit_signals.tuning.fit import FitSettings  # heavy
    from credit_signals.tuning.signals import Sources, train_signals  # heavy

    show_progress()
    kept: tuple[str, ...] = ()
    if schemes and companies:
        kept = texts_of_activities(schemes, phrases, companies, IndexSettings().per_industry, seed)
    sources = Sources(_sentence_files(teacher, own), base, out, start, kept=kept)
    settings = FitSettings(epochs=epochs, rank=rank, seed=seed)
    print_figures(train_signals(sources, settings, everything=everything))


@encoder_app.command(rich_help_panel=Panel.TRAINING)
def activities(
    schemes: Annotated[Path, typer.Option(help="Folder with the texts of NAICS 2022 and UK SIC 2007.", exists=True)],
    companies: Annotated[Path, typer.Option(help="JSON Lines with `summary` and GICS `industry`.", exists=True)],
    small: Annotated[Path, typer.Option(help="JSON Lines of descriptions with codes, to measure on.", exists=True)],
    out: Out,
    base: Annotated[Path, typer.Option(help="The encoder as GGUF.", exists=True)] = MODELS / "section-encoder.gguf",
    phrases: Phrases = PHRASES,
    seed: Seed = 1,
) -> None:
    """Make the activity index; writes activity.npz and activity-metrics.json."""
    from credit_signals.tuning.activities import (  # heavy
        ActivitySources,
        IndexSettings,
        make_index,
    )

    show_progress()
    print_figures(make_index(ActivitySources(base, schemes, phrases, companies, small, out), IndexSettings(seed=seed)))


def _sentence_files(teacher: Path, own: Path) -> tuple[Path, ...]:
    return (*sorted(teacher.glob("*.jsonl")), *sorted(own.glob("website_*.jsonl")), *sorted(own.glob("news_*.jsonl")))
