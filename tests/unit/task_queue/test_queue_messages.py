"""Messages, key names and options of the queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import PageRole, Section, SectionTask, Sentence
from credit_signals.errors import ConfigurationError
from credit_signals.task_queue.keys import QueueKeys
from credit_signals.task_queue.messages import SCHEMA_VERSION, MessageError, decode, encode
from credit_signals.task_queue.options import QueueOptions


def _task(text: str, heading: str = "") -> SectionTask:
    section = Section.build(
        company_id="acme",
        url="https://acme.example/",
        role=PageRole.HOME,
        heading_path=(heading,),
        text=text,
        sentences=(Sentence(number=1, start=0, end=len(text)),),
    )
    return SectionTask.build(section, "reader")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_travels_unchanged(text: str, heading: str) -> None:
    """Control characters, line ends and every script come back as they went."""
    task = _task(text, heading)
    assert decode(SCHEMA_VERSION, encode(task)) == task


def test_text_that_is_not_unicode_is_refused_by_name() -> None:
    """A lone surrogate has no JSON form that every reader accepts: the error names the section."""
    task = _task("\ud800")
    with pytest.raises(MessageError, match=f"task {task.id} of section {task.section.id}"):
        encode(task)


@given(st.binary())
def test_any_bytes_are_refused_quietly(payload: bytes) -> None:
    """Nothing that another program writes to the stream can raise more than MessageError."""
    with pytest.raises(MessageError):
        decode(SCHEMA_VERSION, payload)


def test_fields_of_a_later_schema_are_refused() -> None:
    """An unknown field means that an old reader would misread the task."""
    payload = encode(_task("x")).replace(b'"id"', b'"later":1,"id"', 1)
    with pytest.raises(MessageError, match="extra_forbidden at later"):
        decode(SCHEMA_VERSION, payload)


def test_keys_of_a_kind_share_a_cluster_slot() -> None:
    """The hash tag is the kind, so that scripts may touch both streams."""
    keys = QueueKeys("section_reader")
    assert (keys.tasks, keys.dead) == ("cs:{section_reader}:tasks", "cs:{section_reader}:dead")


@pytest.mark.parametrize("kind", ["", "a}b", "a b", "A", "a" * 65, "a\n"])
def test_a_kind_that_would_break_the_key_names_is_refused(kind: str) -> None:
    """A brace in the name would move its keys to other slots."""
    with pytest.raises(ConfigurationError):
        QueueKeys(kind)


@pytest.mark.parametrize(
    "wrong", [{"max_length": 0}, {"max_attempts": 0}, {"max_dead": 0}, {"idle_seconds": 0.0}, {"timeout_seconds": -1.0}]
)
def test_options_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    """A queue that could never hold or deliver anything is a configuration error."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        QueueOptions(**wrong)  # type: ignore[arg-type]  # the wrong values are the point
