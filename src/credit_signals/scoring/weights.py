"""The numbers of the gauge, checked when loaded."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from credit_signals.domain import Stance, Subject, content_id
from credit_signals.errors import ConfigurationError
from credit_signals.taxonomy.signals import BY_CODE

Factor = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=-100, le=100)]
SEVERITIES = {1, 2, 3}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(_Part):
    """A named range of the gauge; it reaches from `start` up to the next higher band."""

    name: str
    start: int = Field(alias="from", ge=1, le=100)


class Freshness(_Part):
    """How fast statements fade; half-lives in days."""

    floor: float = Field(ge=0, le=1)
    dated_floor: float = Field(ge=0, le=1)
    half_life_days: float = Field(gt=0)
    codes: dict[str, Annotated[float, Field(gt=0)]] = {}


class Weights(_Part):
    """The weights file (weights.toml says what each number means)."""

    base: float = Field(ge=1, le=100)
    diminish: float = Field(ge=0, lt=1)
    bands: tuple[Band, ...] = Field(min_length=1)
    codes: dict[str, Points]
    severity: dict[int, Factor]
    stance: dict[Stance, Factor]
    subject: dict[Subject, Factor]
    freshness: Freshness
    facts: dict[str, Points]

    @model_validator(mode="after")
    def _complete(self) -> Weights:
        _same_keys("codes", self.codes, BY_CODE)
        _same_keys("severity", self.severity, SEVERITIES)
        _same_keys("stance", self.stance, Stance)
        _same_keys("subject", self.subject, Subject)
        wrong = [code for code, points in self.codes.items() if points * _sign(BY_CODE[code].tone) < 0]
        if wrong:
            raise ValueError(f"codes: the sign contradicts the tone of {', '.join(sorted(wrong))}")
        if unknown := set(self.freshness.codes) - set(BY_CODE):
            raise ValueError(f"freshness.codes: unknown {', '.join(sorted(unknown))}")
        starts = [band.start for band in self.bands]
        if starts != sorted(set(starts), reverse=True) or starts[-1] != 1:
            raise ValueError("bands: `from` must fall and end at 1")
        return self

    @property
    def version(self) -> str:
        """Hash of the numbers: equal versions score equally; comments do not matter."""
        return content_id(repr(_ordered(self.model_dump(mode="json"))))[:12]

    def band(self, value: int) -> str:
        """The name of the band that a gauge value lies in."""
        return next(band.name for band in self.bands if value >= band.start)


def load_weights(path: Path | None = None) -> Weights:
    """Load a weights file, the packaged one by default. Raises ConfigurationError naming what is wrong."""
    name = str(path or "the packaged weights.toml")
    try:
        text = (path or files(__package__) / "weights.toml").read_text(encoding="utf-8")
        return Weights.model_validate(tomllib.loads(text))
    except OSError as exc:
        raise ConfigurationError(f"{name}: {exc.strerror or 'cannot be read'}") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{name}: {place + ': ' if place else ''}{first['msg']}") from exc
    except ValueError as exc:  # not TOML, not UTF-8
        raise ConfigurationError(f"{name}: not a weights file: {exc}") from exc


def _sign(tone: str) -> int:
    return {"negative": -1, "neutral": 0, "positive": 1}[tone]


def _same_keys(name: str, given: Any, expected: Any) -> None:
    missing, unknown = set(expected) - set(given), set(given) - set(expected)
    if missing or unknown:
        texts = [f"missing {', '.join(sorted(map(str, missing)))}"] if missing else []
        texts += [f"unknown {', '.join(sorted(map(str, unknown)))}"] if unknown else []
        raise ValueError(f"{name}: {'; '.join(texts)}")


def _ordered(value: Any) -> Any:
    return sorted((key, _ordered(item)) for key, item in value.items()) if isinstance(value, dict) else value
