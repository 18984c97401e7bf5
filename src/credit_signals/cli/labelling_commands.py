"""`credit-signals tune label`, `grade`, `compare-labels`, `key-labels` and `join-labels`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from credit_signals.errors import TeacherUnavailable
from credit_signals.tuning.output import Panel, print_figures

if TYPE_CHECKING:
    from credit_signals.tuning.labelling.label import Teacher

labelling_app = typer.Typer()

AnswerForm: TypeAlias = Literal["json_schema", "json_object", "text"]

ToLabel = Annotated[Path, typer.Argument(help="Sentences, JSON Lines with `id` and `text`.", exists=True)]
Labelled = Annotated[Path, typer.Argument(help="Labelled sentences, JSON Lines.", exists=True, dir_okay=False)]
Out = Annotated[Path, typer.Argument(help="File to write.", dir_okay=False)]
Sources = Annotated[Path, typer.Option(help="Folder of the documents.", exists=True, file_okay=False)]
Url = Annotated[str, typer.Option("--endpoint", help="Base URL that OpenAI clients take, e.g. http://host:8000/v1.")]
Model = Annotated[str, typer.Option(help="Name of the model there.")]
KeyName = Annotated[str, typer.Option("--key-env", help="Environment variable that holds the key, if one is needed.")]
Form = Annotated[
    AnswerForm,
    typer.Option(help="How the schema is told: json_schema, json_object (llama-cpp-python) or text."),
]
AtOnce = Annotated[int, typer.Option(help="Requests at once.", min=1, max=256)]
PromptPrice = Annotated[float, typer.Option(help="Dollars per million tokens of prompts.", min=0)]
AnswerPrice = Annotated[float, typer.Option(help="Dollars per million tokens of answers.", min=0)]
Budget = Annotated[float | None, typer.Option(help="Dollars at which to stop; what the cache holds counts.", min=0)]
Cache = Annotated[
    Path | None, typer.Option(help="File of all answers (default: OUT with .answers.db); nothing in it is asked again.")
]
Timeout = Annotated[float, typer.Option(help="Seconds for one answer.", min=0.1)]
Attempts = Annotated[int, typer.Option(help="Attempts for one answer.", min=1)]
Tokens = Annotated[int, typer.Option(help="Most tokens of an answer.", min=16)]


@dataclass(frozen=True, slots=True)
class TeacherOptions:
    """How a larger model is asked, as typed; see Endpoint and Limits."""

    endpoint: str
    model: str
    key_env: str
    form: AnswerForm
    cache: Path
    at_once: int = 8
    prices: tuple[float, float] = (0.0, 0.0)
    budget: float | None = None
    timeout: float = 120.0
    attempts: int = 6
    max_tokens: int = 400


@labelling_app.command(rich_help_panel=Panel.LABELS)
def label(
    sample: ToLabel,
    out: Out,
    endpoint: Url,
    model: Model,
    key_env: KeyName = "",
    form: Form = "json_schema",
    at_once: AtOnce = 8,
    prompt_price: PromptPrice = 0.0,
    answer_price: AnswerPrice = 0.0,
    budget: Budget = None,
    cache: Cache = None,
    timeout: Timeout = 120.0,
    attempts: Attempts = 6,
    max_tokens: Tokens = 400,
) -> None:
    """Let a larger model label sentences: any endpoint that speaks OpenAI's chat protocol.

    The sentences are sent to that endpoint. A run that was killed, or stopped at its budget, goes on with the same
    command and asks nothing twice. Sentences without a valid answer are in OUT.failed.jsonl.
    """
    from credit_signals.tuning.labelling.label import label as work

    prices, answers = (prompt_price, answer_price), cache or _cache_of(out)
    options = TeacherOptions(
        endpoint, model, key_env, form, answers, at_once, prices, budget, timeout, attempts, max_tokens
    )
    _finish(work(sample, out, teacher_of(options)))


@labelling_app.command(rich_help_panel=Panel.LABELS)
def grade(
    labels: Labelled,
    out: Out,
    endpoint: Url,
    model: Model,
    key_env: KeyName = "",
    form: Form = "json_schema",
    at_once: AtOnce = 8,
    prompt_price: PromptPrice = 0.0,
    answer_price: AnswerPrice = 0.0,
    budget: Budget = None,
    cache: Cache = None,
    timeout: Timeout = 120.0,
    attempts: Attempts = 6,
    max_tokens: Tokens = 400,
) -> None:
    """Let a model grade labels from 1 to 5, with a reason. 4 and 5 are kept; 3 goes to OUT.review.jsonl.

    What is graded 1 or 2 is left out and stands in OUT.dropped.jsonl. Goes on after a stop, as `label` does.
    """
    from credit_signals.tuning.labelling.grade import grade as work

    prices, answers = (prompt_price, answer_price), cache or _cache_of(out)
    options = TeacherOptions(
        endpoint, model, key_env, form, answers, at_once, prices, budget, timeout, attempts, max_tokens
    )
    _finish(work(labels, out, teacher_of(options)))


@labelling_app.command("compare-labels", rich_help_panel=Panel.LABELS)
def compare_labels(
    first: Labelled,
    second: Labelled,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this file too.", dir_okay=False)] = None,
) -> None:
    """Compare two teachers' labels of the same sentences: F1 and Cohen's kappa per code, stance, subject, and ids."""
    from credit_signals.tuning.dataset.rows import write_figures
    from credit_signals.tuning.labelling.compare import compare

    figures = compare(first, second)
    if out:
        write_figures(out, figures)
        figures["disagreements"] = len(figures["disagreements"])
    print_figures(figures)


@labelling_app.command("key-labels", rich_help_panel=Panel.LABELS)
def key_labels(labels: Labelled, out: Out, sources: Sources) -> None:
    """Write labels without text: source, offset, length and a hash. These may be shared where the text may not."""
    from credit_signals.tuning.labelling.keyed import key_labels as work

    print_figures(work(labels, out, sources))


@labelling_app.command("join-labels", rich_help_panel=Panel.LABELS)
def join_labels(labels: Labelled, out: Out, sources: Sources) -> None:
    """Join labels that hold no text to the sources that they point into, and check each by its hash."""
    from credit_signals.tuning.labelling.keyed import join_labels as work

    print_figures(work(labels, out, sources))


def _cache_of(out: Path) -> Path:
    return out.with_name(f"{out.stem}.answers.db")


def teacher_of(options: TeacherOptions) -> Teacher:
    """The larger model that these options name. Raises ConfigurationError; what travels unencrypted is said."""
    from credit_signals.settings import secret
    from credit_signals.tuning.labelling.asking import Limits
    from credit_signals.tuning.labelling.endpoint import Endpoint
    from credit_signals.tuning.labelling.label import Teacher
    from credit_signals.tuning.labelling.ledger import Prices

    where = Endpoint(
        url=options.endpoint,
        model=options.model,
        key=secret(options.key_env),
        form=options.form,
        most_tokens=options.max_tokens,
        timeout=options.timeout,
        attempts=options.attempts,
    )
    if where.key and where.url.startswith("http://"):
        typer.echo(f"{where.url}: the key and the text travel unencrypted", err=True)
    return Teacher(where, Limits(options.at_once, Prices(*options.prices), options.budget), options.cache)


def _finish(figures: dict[str, Any]) -> None:
    """Print the figures; what stopped early, other than at its budget, ends with an error."""
    from credit_signals.tuning.labelling.asking import ENDPOINT_GONE

    print_figures(figures)
    if figures["stopped"].startswith(ENDPOINT_GONE):
        raise TeacherUnavailable(figures["stopped"])
