"""Answers that generative readers wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.chat import ChatRow, Message, write_rows
from credit_signals.tuning.evaluation.generated import measure_generated
from credit_signals.tuning.questions.answer_form import NOT_STATED, GroundedAnswer

SHOWN = 'Page: https://a.test/\nWe shut on Monday. The sign says "closed".\n\nQuestion: Do they shut?'
REFERENCE = GroundedAnswer("Yes", "We shut on Monday.", "https://a.test/")


def questions(folder: Path) -> Path:
    """Two questions that are answered in the text, and one that is not."""
    path = folder / "q.jsonl"
    references = {"single/1": str(REFERENCE), "single/2": str(REFERENCE), "unanswerable/1": NOT_STATED}
    write_rows(
        path,
        (
            ChatRow(
                id=name,
                group="site/a.test",
                split="test",
                messages=(Message(role="user", content=SHOWN), Message(role="assistant", content=reference)),
            )
            for name, reference in references.items()
        ),
    )
    return path


def written(folder: Path, **answers: str) -> Path:
    """A file of generated answers."""
    path = folder / "g.jsonl"
    lines = ({"id": name.replace("_", "/"), "answer": answer} for name, answer in answers.items())
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_answers_are_measured_by_kind(tmp_path: Path) -> None:
    """What is said is compared in plain words, and a quote counts only where it stands in the text shown."""
    given = written(
        tmp_path,
        single_1=str(GroundedAnswer("yes.", "We shut on Monday.", "https://a.test/")),
        single_2=str(GroundedAnswer("No", "We never shut.", "https://a.test/")),
        unanswerable_1="Not stated",
    )
    found = measure_generated(questions(tmp_path), given, None)
    assert found.judge is None
    assert found.kinds["single"].shares() == (0.5, 0.5, None)
    assert found.kinds["unanswerable"].shares() == (1.0, None, None)
    assert found.kinds["all"].questions == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [("{}", "line 1: not an answer"), ('{"id": "x", "answer": ""}', "holds no question x"), ("", "holds no answer")],
)
def test_wrong_answers_are_named(tmp_path: Path, line: str, message: str) -> None:
    """A line that is wrong, and one that answers nothing, are refused."""
    path = tmp_path / "g.jsonl"
    path.write_text(line)
    with pytest.raises(ConfigurationError, match=message):
        measure_generated(questions(tmp_path), path, None)
