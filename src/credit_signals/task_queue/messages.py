"""What travels through a queue: a section task as JSON, beside the version of its schema."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from credit_signals.domain import SectionTask
from credit_signals.errors import QueueError

SCHEMA_VERSION = b"1"  # raised when a reader of the old schema could not read the new one


class MessageError(QueueError):
    """A message that is no task; its text is the reason of the dead letter."""


def encode(task: SectionTask) -> bytes:
    """A task as a message. Raises MessageError for text that is not Unicode (lone surrogates)."""
    try:
        return task.model_dump_json().encode()
    except PydanticSerializationError as exc:
        raise MessageError(f"task {task.id} of section {task.section.id} cannot be written as JSON: {exc}") from exc


def decode(version: bytes | None, payload: bytes | None) -> SectionTask:
    """The task of a message. Raises MessageError; its text names fields, never content."""
    if payload is None:
        raise MessageError("not a task: the message has no field `task`")
    if version != SCHEMA_VERSION:
        shown = "none" if version is None else repr(version[:20].decode("ascii", "replace"))
        raise MessageError(f"schema version {shown} is not {SCHEMA_VERSION.decode()}")
    try:
        return SectionTask.model_validate_json(payload)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100]
        raise MessageError(f"not a task: {first['type']} at {where or 'the start'}") from exc
