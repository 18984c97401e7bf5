"""The commands that train generative readers: `credit-signals tune rows`, `pretrain`, `causal` and `examine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit_signals.tuning.output import Panel, print_figures, show_progress

causal_app = typer.Typer()

QUESTIONS = Path("workers/section_reader/questions")

Files = Annotated[list[Path], typer.Argument(metavar="LABELLED", help="JSON Lines of labelled sentences.", exists=True)]
Folder = Annotated[Path, typer.Option(help="Folder of questions.", exists=True)]
Threads = Annotated[int, typer.Option(min=1, help="Processor threads.")]
Seed = Annotated[int, typer.Option(help="Seed of splits, order and initial weights.")]


@causal_app.command(rich_help_panel=Panel.DATA)
def rows(
    teacher: Files,
    out: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    questions: Folder = QUESTIONS,
    negatives: Annotated[int, typer.Option(min=0, help="Groups, and events, answered no per section.")] = 3,
    longest: Annotated[int, typer.Option(min=1, help="Most sentences in a section.")] = 4,
    languages: Annotated[str, typer.Option(help="Codes with commas between; empty: all.")] = "",
    plain: Annotated[bool, typer.Option(help="Only the keys that every training service takes.")] = False,
    seed: Seed = 1,
) -> None:
    """Make chat rows of labelled sentences: the product's questions and their answers."""
    from credit_signals.inference.questions import load_questions
    from credit_signals.tuning.causal.interviews import RowSettings, make_rows  # beside its like
    from credit_signals.tuning.chat import write_rows
    from credit_signals.tuning.teacher import in_languages, load_teacher

    sentences = in_languages(load_teacher(teacher), languages)
    settings = RowSettings(seed=seed, negatives=negatives, longest=longest)
    count = write_rows(out, make_rows(sentences, load_questions(questions), settings), pieces=not plain)
    typer.echo(f"{out}: {count} rows of {len(sentences)} sentences")


@causal_app.command(rich_help_panel=Panel.TRAINING)
def pretrain(
    texts: Annotated[list[Path], typer.Argument(help="Text files, or JSON Lines with a `text`.", exists=True)],
    out: Annotated[Path, typer.Argument(help="Folder for checkpoint, model and run.json.")],
    questions: Annotated[Path | None, typer.Option(help="Folder whose special tokens become tokens.")] = None,
    width: Annotated[int, typer.Option(help="Width, a multiple of 256.")] = 256,
    layers: Annotated[int, typer.Option(min=1, help="Layers.")] = 6,
    vocabulary: Annotated[int, typer.Option(help="Tokens, 65535 at most.")] = 8192,
    context: Annotated[int, typer.Option(min=16, help="Tokens in a block.")] = 512,
    batch: Annotated[int, typer.Option(min=1, help="Blocks in a step.")] = 8,
    rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 2e-3,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time to train.")] = 30,
    steps: Annotated[int, typer.Option(min=0, help="Steps to train, in place of minutes; repeatable.")] = 0,
    threads: Threads = 1,
    seed: Seed = 1,
) -> None:
    """Train a small Llama model and its tokenizer from texts; writes OUT/model."""
    from credit_signals.tuning.causal.pretrain import PretrainSettings  # heavy
    from credit_signals.tuning.causal.pretrain import pretrain as train  # heavy

    show_progress()
    settings = PretrainSettings(
        width=width,
        layers=layers,
        vocabulary=vocabulary,
        context=context,
        batch=batch,
        rate=rate,
        minutes=minutes,
        steps=steps,
        threads=threads,
        seed=seed,
    )
    print_figures(train(texts, out, settings, questions))


@causal_app.command(rich_help_panel=Panel.TRAINING)
def causal(
    model: Annotated[Path, typer.Argument(help="Folder of a Hugging Face causal model.", exists=True)],
    data: Annotated[Path, typer.Argument(help="JSON Lines of chats.", exists=True)],
    out: Annotated[Path, typer.Argument(help="Folder for adapter, merged model, curve and run.json.")],
    questions: Annotated[Path | None, typer.Option(help="Folder of the questions that the rows ask.")] = None,
    lora: Annotated[int, typer.Option(min=0, help="Rank of the adapter; 0 trains the whole model.")] = 16,
    qlora: Annotated[bool, typer.Option("--qlora", help="Hold the base in 4 bit (needs a GPU).")] = False,
    epochs: Annotated[float, typer.Option(min=0.01, help="Rounds over the chats.")] = 3,
    rate: Annotated[float, typer.Option(min=0, help="Highest learning rate.")] = 2e-4,
    batch: Annotated[int, typer.Option(min=1, help="Texts in a step, each with its questions.")] = 16,
    longest: Annotated[int, typer.Option(min=32, help="Tokens of a text with its questions.")] = 1024,
    every: Annotated[int, typer.Option(min=0, help="Steps between measurements; 0: four an epoch.")] = 0,
    patience: Annotated[int, typer.Option(min=1, help="Measurements without gain before it stops.")] = 4,
    threads: Threads = 1,
    seed: Seed = 1,
) -> None:
    """Fine-tune a causal model on chats, the loss on answers only; goes on from its last checkpoint."""
    from credit_signals.tuning.causal.fine_tune import (  # heavy
        CausalSettings,
        CausalSources,
        fine_tune,
    )

    show_progress()
    settings = CausalSettings(
        rank=lora,
        four_bit=qlora,
        epochs=epochs,
        rate=rate,
        batch=batch,
        longest=longest,
        every=every,
        patience=patience,
        threads=threads,
        seed=seed,
    )
    print_figures(fine_tune(CausalSources(model, data, out, questions), settings))


@causal_app.command(rich_help_panel=Panel.CHOOSING)
def examine(
    model: Annotated[Path, typer.Argument(help="Folder of a Hugging Face causal model.", exists=True)],
    teacher: Files,
    questions: Folder = QUESTIONS,
    languages: Annotated[str, typer.Option(help="Codes with commas between; empty: all.")] = "",
    seed: Seed = 1,
) -> None:
    """Measure a model on the test split of labelled sentences, asked as the reader asks."""
    from credit_signals.tuning.causal.answering import examine as measure  # heavy
    from credit_signals.tuning.teacher import in_languages, load_teacher

    sentences = [each for each in in_languages(load_teacher(teacher), languages) if each.split(seed) == "test"]
    print_figures(measure(model, questions, sentences))
