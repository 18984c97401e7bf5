"""`credit-signals tune life`: the whole life of a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from credit_signals.tuning.output import Panel, show_progress

QUESTIONS = Path("workers/section_reader/questions")

life_app = typer.Typer()

Work = Annotated[Path, typer.Option(help="Folder of this life; the finished reader stays in it.", file_okay=False)]


@life_app.command(rich_help_panel=Panel.WHOLE_LIFE)
def life(
    endpoint: Annotated[str, typer.Option(help="Teacher: base URL that OpenAI clients take, http://host:8000/v1.")],
    model: Annotated[str, typer.Option(help="Name of the teacher's model there.")],
    base: Annotated[Path, typer.Option(help="Hugging Face folder of the model to train.", exists=True)],
    work: Work,
    store: Annotated[str, typer.Option(help="Results store (default: that of the settings).", show_default=False)] = "",
    run_id: Annotated[str, typer.Option("--run", help="Run to take sentences from; the latest when left out.")] = "",
    count: Annotated[int, typer.Option(help="Sentences to sample, blind test split included.", min=1)] = 2000,
    labels: Annotated[
        list[Path] | None, typer.Option(help="Further labelled sentences; split like the sample.", exists=True)
    ] = None,
    tests: Annotated[
        list[Path] | None, typer.Option("--test", help="Labelled sentences to test on, every one.", exists=True)
    ] = None,
    blind: Annotated[Path | None, typer.Option(help="Blind test split of earlier lives.", dir_okay=False)] = None,
    key_env: Annotated[str, typer.Option(help="Environment variable that holds the teacher's key.")] = "",
    form: Annotated[
        Literal["json_schema", "json_object", "text"],
        typer.Option(help="How the schema is told; json_object: llama-cpp-python."),
    ] = "json_schema",
    at_once: Annotated[int, typer.Option(help="Requests at once.", min=1, max=256)] = 8,
    prompt_price: Annotated[float, typer.Option(help="Dollars per million tokens of prompts.", min=0)] = 0.0,
    answer_price: Annotated[float, typer.Option(help="Dollars per million tokens of answers.", min=0)] = 0.0,
    budget: Annotated[float | None, typer.Option(help="Dollars for the teacher at which to stop.", min=0)] = None,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of an answer.", min=16)] = 400,
    cache: Annotated[Path | None, typer.Option(help="The teacher's answers in earlier lives.", dir_okay=False)] = None,
    grade: Annotated[bool, typer.Option(help="Let the teacher grade its labels; keep 4 and 5.")] = True,
    causal: Annotated[
        bool, typer.Option("--causal", help="Train a causal model to read, not the encoder's adapter and heads.")
    ] = False,
    epochs: Annotated[
        float | None, typer.Option(help="Rounds over the sentences (encoder 8, causal 3).", min=0.01)
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the adapter (encoder 32, causal 16).", min=1)] = None,
    threads: Annotated[int, typer.Option(help="Processor threads.", min=1)] = 2,
    language: Annotated[list[str] | None, typer.Option(help="Languages that it reads, ISO 639-1 (en).")] = None,
    questions: Annotated[Path, typer.Option(help="Questions: template of the data.", file_okay=False)] = QUESTIONS,
    gguf: Annotated[Path | None, typer.Option(help="The base as GGUF, where there is one.", exists=True)] = None,
    activity: Annotated[Path | None, typer.Option(help="Activity index made for the base.", exists=True)] = None,
    file_type: Annotated[str, typer.Option("--type", help="Type of the GGUF (encoder BF16, causal Q8_0).")] = "",
    promote: Annotated[bool, typer.Option(help="Put the reader to work if it is better.")] = True,
    may_lose: Annotated[float, typer.Option(help="Trade: see `readers promote`.", min=0, max=0.99)] = 0.0,
    cost_factor: Annotated[float | None, typer.Option(help="Trade: see `readers promote`.", min=0.01)] = None,
    trade: Annotated[str, typer.Option(help="Why the trade is worth it.")] = "",
    without_activities: Annotated[
        bool, typer.Option("--without-activities", help="Promote although it tells no activities.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of choice, splits and weights.")] = 1,
    by: Annotated[str, typer.Option(help="Who decides, for the record (default: the user's name).")] = "",
) -> None:
    """Make a better reader with one command: sample, label, grade, dataset, train, export, evaluate, promote.

    Sentences of crawled websites are labelled by a larger model, a reader is trained on them, converted to GGUF
    through the parity gate, measured against the reader at work on a blind test split, and put to work if it is
    better: exit code 0. A reader that is not better is refused with the reason: exit code 1.

    Stopped or killed, the same command goes on: a finished step whose inputs did not change is passed over.
    The text of the sentences is sent to --endpoint. docs/fine_tuning.md tells of costs, files and going back.
    """
    from credit_signals.cli import living

    values = {
        "endpoint": endpoint,
        "model": model,
        "base": base,
        "run": run_id,
        "count": count,
        "labels": labels or (),
        "tests": tests or (),
        "blind": blind,
        "key_env": key_env,
        "form": form,
        "at_once": at_once,
        "prompt_price": prompt_price,
        "answer_price": answer_price,
        "budget": budget,
        "most_tokens": max_tokens,
        "cache": cache,
        "grade": grade,
        "kind": "causal" if causal else "encoder",
        "epochs": epochs,
        "rank": rank,
        "threads": threads,
        "languages": tuple(language or ("en",)),
        "questions": questions,
        "gguf": gguf,
        "activity": activity,
        "file_type": file_type,
        "promote": promote,
        "may_lose": may_lose,
        "cost_factor": cost_factor,
        "trade_reason": trade,
        "without_activities": without_activities,
        "seed": seed,
    }
    show_progress()
    if not living.live(work, values, store, by):
        raise typer.Exit(1)


@life_app.command("life-step", rich_help_panel=Panel.WHOLE_LIFE)
def life_step(
    step: Annotated[str, typer.Argument(help="sample, label, grade, dataset, train, export, evaluate or promote.")],
    work: Work,
    by: Annotated[str, typer.Option(help="Who decides, for the record.")] = "fine_tune",
) -> None:
    """Do one step of a life whose folder holds its plan; the DAG fine_tune does this where Airflow has no torch."""
    from credit_signals.cli import living

    show_progress()
    living.live_step(work, step, by)
