"""The questions that a generative reader asks, as data: TOML files with prompts, labels and the codes they stand for.

`template.toml` holds `instruction`, `section` (with `{heading}` and `{sentences}`) and `question` (with `{prompt}`);
`details.toml` the tables `judgement`, `sentence`, `stance`, `subject` and `severity`, each with a `prompt` (in all but
the first with `{event}`) and, but for `sentence`, with `labels`; every other file is a group: a `prompt` that asks for
any of the group's events, and `[[event]]` tables of `code`, `prompt` and `event`. A label is what the model would
write after the question; its first token must differ from those of the other labels.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from credit_signals.domain import Stance, Subject
from credit_signals.errors import ModelRefused
from credit_signals.inference.manifest import question_files
from credit_signals.taxonomy.signals import BY_CODE

FIXED = ("template", "details")
TEMPLATE_KEY = "credit_signals.template_sha256"  # in the metadata of a model or adapter that was tuned on a template


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Template(_Part):
    """How instruction, section and question are put together."""

    instruction: str
    section: str
    question: str

    @property
    def sha256(self) -> str:
        """A hash of all three, hexadecimal."""
        parts = json.dumps([self.instruction, self.section, self.question])
        return hashlib.sha256(parts.encode("utf-8")).hexdigest()


class Labels(_Part):
    """A question whose answer is one of a few labels: name -> what the model writes."""

    prompt: str = ""  # the judgement's are those of groups and events
    labels: dict[str, str]


class WhichSentence(_Part):
    """The question for the number of the sentence; the label shows how the model writes a number."""

    prompt: str
    label: str = " {number}"

    def written(self, number: int) -> str:
        """The label of a sentence."""
        return self.label.replace("{number}", str(number))


class Details(_Part):
    """What is asked of every event that was found, and the labels of yes and no."""

    judgement: Labels
    sentence: WhichSentence
    stance: Labels
    subject: Labels
    severity: Labels

    @model_validator(mode="after")
    def _complete(self) -> Details:
        wanted: dict[str, set[str]] = {
            "judgement": {"yes", "no"},
            "stance": {*Stance},
            "subject": {*Subject},
            "severity": {"1", "2", "3"},
        }
        for name, names in wanted.items():
            if set(getattr(self, name).labels) != names:
                raise ValueError(f"{name}: labels must be {sorted(names)}")
        return self


class Event(_Part):
    """A signal code, the question for it, and how it is called in the questions for details."""

    code: str
    prompt: str
    event: str

    @model_validator(mode="after")
    def _known(self) -> Event:
        if self.code not in BY_CODE:
            raise ValueError(f"unknown code {self.code!r}")
        return self


class Group(_Part):
    """Events that are asked for one by one only when the question for any of them is answered yes."""

    prompt: str
    event: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """All questions of a reader."""

    template: Template
    details: Details
    groups: tuple[Group, ...]


def load_questions(folder: Path) -> Questions:
    """Read a folder of question files. Raises ModelRefused naming the file."""
    files = {path.stem: path for path in question_files(folder)}
    missing = [name for name in FIXED if name not in files]
    if missing:
        raise ModelRefused(f"{folder}: {missing[0]}.toml is missing")
    groups = tuple(_parse(path, Group) for name, path in files.items() if name not in FIXED)
    codes = [event.code for group in groups for event in group.event]
    if len(codes) != len(set(codes)) or not codes:
        raise ModelRefused(f"{folder}: a code is asked for twice, or none is")
    return Questions(_parse(files["template"], Template), _parse(files["details"], Details), groups)


def _parse(path: Path, kind: Any) -> Any:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"{path}: {place}: {first['msg']}") from exc
    except (OSError, ValueError) as exc:
        raise ModelRefused(f"{path}: not a question file: {exc}") from exc
