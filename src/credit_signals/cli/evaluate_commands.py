"""`credit-signals evaluate`: what a person types to measure readers."""

from __future__ import annotations

import importlib.util
import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from credit_signals.errors import ConfigurationError

if TYPE_CHECKING:
    from credit_signals.tuning.labelling.label import Teacher

PHRASES = Path("workers/section_reader/training/activity_phrases.jsonl")


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder for report.md, plots, answers and figures.", file_okay=False)],
    reader: Annotated[
        list[Path] | None, typer.Option(help="Manifest of a reader to run; the first is reported on.", exists=True)
    ] = None,
    answers: Annotated[
        list[Path] | None, typer.Option(help="Answers that an earlier evaluation wrote.", exists=True)
    ] = None,
    sentences: Annotated[
        list[Path] | None,
        typer.Option(help="Labelled sentences (files or folders): their test split is read.", exists=True),
    ] = None,
    blind: Annotated[
        list[Path] | None, typer.Option(help="Labelled sentences of which every one is read.", exists=True)
    ] = None,
    descriptions: Annotated[
        list[Path] | None,
        typer.Option(help="Company descriptions, JSON Lines: id, text, naics2022, nace2.", exists=True),
    ] = None,
    phrases: Annotated[Path, typer.Option(help="Phrases with codes, for the baseline of activities.")] = PHRASES,
    questions: Annotated[Path | None, typer.Option(help="Chats that end with a reference.", exists=True)] = None,
    generated: Annotated[
        Path | None, typer.Option(help="Answers written to them, JSON Lines: id, answer.", exists=True)
    ] = None,
    judge_endpoint: Annotated[
        str, typer.Option(help="Let a model judge these: base URL that OpenAI clients take.", show_default=False)
    ] = "",
    judge_model: Annotated[str, typer.Option(help="Name of the model there.", show_default=False)] = "",
    judge_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds its key.", show_default=False)
    ] = "",
    judge_form: Annotated[
        Literal["json_schema", "json_object", "text"], typer.Option(help="How the judge is told the schema.")
    ] = "json_schema",
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    judge = _judge((judge_endpoint, judge_model, judge_key_env, judge_form), out) if judge_endpoint else None
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


def _judge(typed: tuple[str, str, str, Literal["json_schema", "json_object", "text"]], out: Path) -> Teacher:
    from credit_signals.tuning.labelling.asking import Limits
    from credit_signals.tuning.labelling.commands import key_named
    from credit_signals.tuning.labelling.endpoint import Endpoint
    from credit_signals.tuning.labelling.label import Teacher

    url, model, key_env, form = typed
    if not model:
        raise ConfigurationError("a judge needs --judge-model")
    endpoint = Endpoint(url, model, key=key_named(key_env), form=form)
    return Teacher(endpoint, Limits(), out / "judge.answers.db")
