"""The templates of questions, data in templates.toml or in a file of one's own."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from credit_signals.domain import PageRole, Stance, Subject
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.labelling.replies import Code

PLACES = {"company", "domain", "about"}


def _only_known_places(question: str) -> str:
    unknown = {name for _, name, _, _ in Formatter().parse(question) if name is not None} - PLACES
    if unknown:
        raise ValueError(f"unknown place {{{sorted(unknown)[0]}}}")
    return question


Question = Annotated[str, Field(min_length=1), AfterValidator(_only_known_places)]
Questions = Annotated[tuple[Question, ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactQuestions(_Part):
    """How a fact is asked for. `hints` are beginnings of words of text that may tell it, lower case."""

    questions: Questions
    hints: tuple[str, ...]


class SignalQuestions(_Part):
    """How a signal is asked for, what each code is about, and the answer for each stance."""

    questions: Questions
    about: dict[Code, str]
    said: dict[Stance, str]


class ActivityQuestions(_Part):
    """How the line of business is asked for, and its code."""

    questions: Questions
    code_questions: Questions


class FollowUp(_Part):
    """A question that leans on the one before."""

    questions: Questions


class StanceFollowUp(FollowUp):
    """Asks for the stance."""

    said: dict[Stance, str]


class SubjectFollowUp(FollowUp):
    """Asks for the subject."""

    said: dict[Subject, str]


class FollowUps(_Part):
    """All follow-up questions."""

    page: FollowUp
    date: FollowUp
    stance: StanceFollowUp
    subject: SubjectFollowUp
    clicks: FollowUp


class Templates(_Part):
    """All templates. `facts` are by the key of SiteFact, `pages` by role."""

    system: str = Field(min_length=1)
    facts: dict[str, FactQuestions]
    pages: dict[PageRole, Questions]
    signals: SignalQuestions
    activity: ActivityQuestions
    follow_ups: FollowUps


def load_templates(path: Path | None = None) -> Templates:
    """The templates of a file; without one, those of the project. Raises ConfigurationError naming what is wrong."""
    where = path or Path(str(files(__package__) / "templates.toml"))
    try:
        return Templates.model_validate(tomllib.loads(where.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigurationError(f"{where}: the templates cannot be read: {exc.strerror}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{where}: not templates: {place}: {first['msg']}") from exc
    except ValueError as exc:
        raise ConfigurationError(f"{where}: not templates: {exc}") from exc
