"""What a life was asked to make: written to the working folder once, so that every step, wherever it runs, agrees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from credit_signals.domain import Trade
from credit_signals.errors import ConfigurationError
from credit_signals.inference.formats import ActivityIndex
from credit_signals.tuning.labelling.endpoint import Endpoint

EPOCHS = {"encoder": 8.0, "causal": 3.0}
RANKS = {"encoder": 32, "causal": 16}
TYPES = {"encoder": "BF16", "causal": "Q8_0"}  # of the GGUF that ships


Place: TypeAlias = Annotated[Path, AfterValidator(Path.absolute)]  # steps may run in another folder than the command


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SamplePlan(_Part):
    """Which sentences of the store are labelled. `run` empty: the latest when the sample is taken."""

    run: str = ""
    count: int = Field(2000, ge=1)  # blind test split included
    random_share: float = Field(0.2, ge=0, le=1)
    blind: Place | None = None  # the blind split of earlier lives; None: one in the working folder


class TeacherPlan(_Part):
    """Who labels. The key is named, never held: `key_env` is an environment variable."""

    endpoint: str
    model: str
    key_env: str = ""
    form: Literal["json_schema", "json_object", "text"] = "json_schema"
    at_once: int = Field(8, ge=1)
    prompt_price: float = Field(0.0, ge=0)  # dollars per million tokens
    answer_price: float = Field(0.0, ge=0)
    budget: float | None = Field(None, ge=0)  # dollars
    most_tokens: int = Field(400, ge=16)  # of an answer
    cache: Place | None = None  # answers of earlier lives; None: a file in the working folder
    grade: bool = True


class ModelPlan(_Part):
    """What is trained, and what becomes of it. None and empty: what is usual for the kind."""

    kind: Literal["encoder", "causal"] = "encoder"
    base: Place
    epochs: float | None = Field(None, gt=0)
    rank: int | None = Field(None, ge=1)
    threads: int = Field(2, ge=1)
    seed: int = 1
    languages: tuple[str, ...] = ("en",)
    questions: Place
    gguf: Place | None = None  # the base as GGUF, where there is one; encoder
    activity: Place | None = None  # activity index made for the base; encoder
    file_type: str = ""
    version: str = "1"


class PromotionPlan(_Part):
    """Whether the reader is put to work when it is better, and at which trade."""

    promote: bool = True
    may_lose: float = Field(0.0, ge=0, lt=1)
    cost_factor: float | None = Field(None, gt=0)
    trade_reason: str = ""
    without_activities: bool = False

    @model_validator(mode="after")
    def _in_words(self) -> PromotionPlan:
        if (self.may_lose or self.cost_factor is not None) and not self.trade_reason.strip():
            raise ValueError("a trade needs a reason, in words")
        if self.trade_reason.strip() and not self.may_lose and self.cost_factor is None:
            raise ValueError("a reason states no trade without `may_lose` or `cost_factor`")
        return self

    @property
    def trade(self) -> Trade | None:
        """The trade, or None."""
        if not self.trade_reason.strip():
            return None
        return Trade(may_lose=self.may_lose, cost_factor=self.cost_factor, reason=self.trade_reason.strip())


class Plan(_Part):
    """A life. `labels`: further labelled sentences, split like the others; of `tests` every sentence is tested."""

    sample: SamplePlan = SamplePlan()
    teacher: TeacherPlan
    model: ModelPlan
    promotion: PromotionPlan = PromotionPlan()
    labels: tuple[Place, ...] = ()
    tests: tuple[Place, ...] = ()

    @property
    def epochs(self) -> float:
        """Rounds over the training sentences."""
        return self.model.epochs or EPOCHS[self.model.kind]

    @property
    def rank(self) -> int:
        """Rank of the adapter."""
        return self.model.rank or RANKS[self.model.kind]

    @property
    def file_type(self) -> str:
        """Type of the GGUF file that ships."""
        return self.model.file_type or TYPES[self.model.kind]


@dataclass(frozen=True, slots=True)
class Folder:
    """The working folder: where each step writes."""

    path: Path

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.path / name

    @property
    def sample(self) -> Path:
        """Sentences to label, for training and validation."""
        return self.path / "sample.jsonl"

    def blind(self, plan: Plan) -> Path:
        """Sentences to label, for the blind test."""
        return plan.sample.blind or self.path / "sample.test.jsonl"

    @property
    def sentences(self) -> Path:
        """Every labelled sentence, of all splits."""
        return self.path / "sentences.jsonl"

    @property
    def training(self) -> Path:
        """What training writes."""
        return self.path / "training"

    @property
    def manifest(self) -> Path:
        """The finished reader's manifest; its files lie beside it."""
        return self.path / "reader" / "reader.toml"

    @property
    def card(self) -> Path:
        """The finished reader's model card."""
        return self.path / "reader" / "card.md"

    @property
    def evaluation(self) -> Path:
        """Report, answers and figures."""
        return self.path / "evaluation"


def plan_of(values: Mapping[str, Any]) -> Plan:
    """The plan of flat values, as a command line or a form gives them; those of no part are left aside.

    Raises ConfigurationError naming the value that is wrong.
    """
    parts: dict[str, Any] = {
        name: {key: values[key] for key in part.model_fields if key in values}
        for name, part in (
            ("sample", SamplePlan),
            ("teacher", TeacherPlan),
            ("model", ModelPlan),
            ("promotion", PromotionPlan),
        )
    }
    try:
        plan = Plan.model_validate({**parts, "labels": values.get("labels", ()), "tests": values.get("tests", ())})
    except ValidationError as exc:
        raise ConfigurationError(f"the life cannot be planned: {_first(exc)}") from exc
    Endpoint(plan.teacher.endpoint, plan.teacher.model)  # refuses a URL that holds a password: it would be written down
    return plan


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'][1:] or first['loc']))}: {first['msg']}"


def write_plan(folder: Path, plan: Plan) -> None:
    """Keep the plan in its folder; a changed plan takes the place of the old one: what it changes is done again.

    Raises ConfigurationError for a base that is no model or has another width than the activity index, OSError.
    """
    _require_base(plan.model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(plan.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_plan(folder: Path) -> Plan:
    """The plan of a folder. Raises ConfigurationError."""
    path = folder / "plan.json"
    try:
        return Plan.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"{path}: no plan of a life: {exc.strerror}") from exc
    except ValidationError as exc:
        raise ConfigurationError(f"{path}: {_first(exc)}") from exc


def _require_base(model: ModelPlan) -> None:
    path = model.base / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{path}: the base is no Hugging Face folder: {exc}") from exc
    width = config.get("hidden_size") if isinstance(config, dict) else None
    if model.kind == "encoder" and model.activity and width != (made := ActivityIndex.load(model.activity).width):
        raise ConfigurationError(f"{path}: width {width}; {model.activity} is made for {made}")
    if model.kind == "causal" and (model.gguf or model.activity):
        raise ConfigurationError("`gguf` and `activity` belong to an encoder; a causal reader has neither")
