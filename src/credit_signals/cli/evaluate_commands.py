"""`credit-signals evaluate`: what a person types to measure readers."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from credit_signals.cli.labelling_commands import AnswerForm, TeacherOptions, teacher_of
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.output import show_progress

PHRASES = Path("workers/section_reader/training/activity_phrases.jsonl")

Out = Annotated[Path, typer.Option(help="Folder for report.md, plots, answers and figures.", file_okay=False)]
Readers = Annotated[
    list[Path] | None, typer.Option(help="Manifest of a reader to run; the first is reported on.", exists=True)
]
Saved = Annotated[list[Path] | None, typer.Option(help="Answers that an earlier evaluation wrote.", exists=True)]
Sentences = Annotated[
    list[Path] | None,
    typer.Option(help="Labelled sentences (files or folders): their test split is read.", exists=True),
]
Blind = Annotated[list[Path] | None, typer.Option(help="Labelled sentences of which every one is read.", exists=True)]
Descriptions = Annotated[
    list[Path] | None, typer.Option(help="Company descriptions, JSON Lines: id, text, naics2022, nace2.", exists=True)
]
Phrases = Annotated[Path, typer.Option(help="Phrases with codes, for the baseline of activities.")]
Questions = Annotated[Path | None, typer.Option(help="Chats that end with a reference.", exists=True)]
Generated = Annotated[Path | None, typer.Option(help="Answers written to them, JSON Lines: id, answer.", exists=True)]
JudgeUrl = Annotated[
    str, typer.Option(help="Let a model judge these: base URL that OpenAI clients take.", show_default=False)
]
JudgeModel = Annotated[str, typer.Option(help="Name of the model there.", show_default=False)]
JudgeKey = Annotated[str, typer.Option(help="Environment variable that holds its key.", show_default=False)]
JudgeForm = Annotated[AnswerForm, typer.Option(help="How the judge is told the schema.")]


def evaluate(
    out: Out,
    reader: Readers = None,
    answers: Saved = None,
    sentences: Sentences = None,
    blind: Blind = None,
    descriptions: Descriptions = None,
    phrases: Phrases = PHRASES,
    questions: Questions = None,
    generated: Generated = None,
    judge_endpoint: JudgeUrl = "",
    judge_model: JudgeModel = "",
    judge_key_env: JudgeKey = "",
    judge_form: JudgeForm = "json_schema",
    vcpu_price: Annotated[float, typer.Option(help="Dollars for a virtual CPU's hour.", min=0)] = 0.04,
    seed: Annotated[int, typer.Option(help="Seed of splits and intervals.")] = 1,
) -> None:
    """Measure readers on sentences that they were not trained on, and write a report with plots.

    Everything is compared with TF-IDF and logistic regression, trained on the other splits of --sentences.
    The answers and figures that it writes are those that `readers register` and `readers promote` take.
    """
    from credit_signals.cli.show import say

    _require_extra()
    from credit_signals.tuning.evaluation.evaluate import Activities, Wanted, Written
    from credit_signals.tuning.evaluation.evaluate import evaluate as work
    from credit_signals.tuning.evaluation.split import LabelledFiles

    if bool(questions) != bool(generated) or (judge_endpoint and not generated):
        raise ConfigurationError("--generated needs --questions and the other way round; a judge needs both")
    if judge_endpoint and not judge_model:
        raise ConfigurationError("a judge needs --judge-model")
    show_progress()
    out.mkdir(parents=True, exist_ok=True)
    asked = TeacherOptions(judge_endpoint, judge_model, judge_key_env, judge_form, out / "judge.answers.db")
    judge = teacher_of(asked) if judge_endpoint else None
    wanted = Wanted(
        out=out,
        readers=tuple(reader or ()),
        answers=tuple(answers or ()),
        labelled=LabelledFiles(tuple(sentences or ()), tuple(blind or ()), seed),
        activities=Activities(tuple(descriptions), phrases if phrases.exists() else None) if descriptions else None,
        written=Written(questions, generated, judge) if questions and generated else None,
        vcpu_hour=vcpu_price,
        command=shlex.join(["credit-signals", *sys.argv[1:]]),
    )
    done = work(wanted)
    for name, files in done["readers"].items():
        say(f"{name}: micro-F1 {files['micro_f1']}, macro-F1 {files['macro_f1']}; {files['answers']}")
    say(done["report"])


def _require_extra() -> None:
    missing = [name for name in ("matplotlib", "sklearn") if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(f"evaluate needs the extra `tune`: {', '.join(missing)} is not installed")
