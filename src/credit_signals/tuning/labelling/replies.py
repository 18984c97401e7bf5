"""The forms of a teacher's answers: their JSON schema for the endpoint, and the check of what came."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from credit_signals.domain import Stance, Subject
from credit_signals.tuning.teacher import CODES, Label

MOST_SIGNALS = 8
REASON_CHARACTERS = 300

Code = StrEnum("Code", {code: code for code in CODES})  # type: ignore[misc]  # its members are data
Severity = Literal[1, 2, 3]


class TeacherReply(BaseModel):
    """Base of all answers: keys that the schema does not name are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SignalReply(TeacherReply):
    """One signal."""

    code: Code
    stance: Stance
    subject: Subject
    severity: Severity


class LabelReply(TeacherReply):
    """The signals of a sentence."""

    signals: Annotated[tuple[SignalReply, ...], Field(max_length=MOST_SIGNALS)]

    @field_validator("signals")
    @classmethod
    def _each_once(cls, signals: tuple[SignalReply, ...]) -> tuple[SignalReply, ...]:
        codes = [signal.code for signal in signals]
        if len(set(codes)) != len(codes):
            raise ValueError("a code stands twice")
        return signals

    def labels(self) -> tuple[Label, ...]:
        """The signals as training takes them."""
        return tuple(Label(str(each.code), each.stance, each.subject, each.severity) for each in self.signals)


class GradeReply(TeacherReply):
    """How right the labels of a sentence are, 1 to 5, and why."""

    reason: Annotated[str, Field(max_length=REASON_CHARACTERS)]
    grade: Literal[1, 2, 3, 4, 5]


Kind = TypeVar("Kind", bound=TeacherReply)


def json_schema(kind: type[TeacherReply]) -> dict[str, Any]:
    """The JSON schema of an answer, without references and titles: the form that every server understands."""
    schema = kind.model_json_schema()
    return _inlined(schema, schema.pop("$defs", {}))  # type: ignore[no-any-return]  # a schema is an object


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    return {name: _inlined(value, definitions) for name, value in node.items() if name not in {"title", "description"}}


def parse_reply(kind: type[Kind], content: str) -> Kind:
    """The answer in a message. Raises ValueError that says what is wrong, without repeating the answer.

    A line of reasoning before the object, or a code fence around it, is passed over.
    """
    text = content.rpartition("</think>")[2]
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("the answer holds no JSON object")
    try:
        return kind.model_validate_json(text[start : end + 1])
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False, include_context=False)[:3]
        told = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in errors)
        raise ValueError(told) from exc
