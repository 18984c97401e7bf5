"""A model as the judge of generated answers, over a real connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scripted_endpoint import Answer, ScriptedEndpoint, completion
from typer.testing import CliRunner

from credit_signals.cli.commands import app
from credit_signals.tuning.chat import ChatRow, Message, write_rows
from credit_signals.tuning.evaluation.generated import measure_generated
from credit_signals.tuning.labelling.asking import Limits
from credit_signals.tuning.labelling.endpoint import Endpoint
from credit_signals.tuning.labelling.label import Teacher


def verdict(_number: int, body: dict[str, Any]) -> Answer:
    """A judge that holds everything but `no` for right, and answers one question by no schema."""
    asked = json.loads(body["messages"][1]["content"])
    if asked["answer"] == "gibberish":
        return completion("I would rather not say.")
    return completion({"reason": "as it says", "verdict": "wrong" if asked["answer"] == "no" else "right"})


def files(folder: Path, given: list[dict[str, Any]]) -> tuple[Path, Path]:
    """Questions whose answer is yes, and answers to them."""
    rows = (
        ChatRow(
            id=each["id"],
            group="site/a.test",
            split="test",
            messages=(
                Message(role="user", content="</s>[INST] Do they shut?"),
                Message(role="assistant", content="yes"),
            ),
        )
        for each in given
    )
    write_rows(folder / "q.jsonl", rows)
    (folder / "g.jsonl").write_text("".join(json.dumps(each) + "\n" for each in given))
    return folder / "q.jsonl", folder / "g.jsonl"


def test_verdicts_are_counted_and_compared(tmp_path: Path) -> None:
    """The judge's share, its agreement with sameness to the reference, and what it did not judge are reported."""
    given = [{"id": f"q{n}", "answer": answer} for n, answer in enumerate(("yes", "Yes.", "no", "maybe", "gibberish"))]
    with ScriptedEndpoint(verdict) as server:
        teacher = Teacher(Endpoint(server.url, "big", backoff=0.01, attempts=2), Limits(), tmp_path / "cache.db")
        found = measure_generated(*files(tmp_path, given), teacher)
        assert all("[INST]" not in body["messages"][1]["content"] for body in server.bodies)
        schema = server.bodies[0]["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["verdict"]["enum"] == ["right", "wrong"]
    assert found.judge is not None
    assert (found.judge.judged, found.judge.failed) == (4, 1)
    assert found.judge.gold == "sameness to the reference"
    assert found.judge.agreement == pytest.approx(0.75)  # only `maybe` is held for right
    assert found.kinds["all"].judged_right == pytest.approx(0.75)


def test_the_report_tells_of_the_judge(tmp_path: Path) -> None:
    """`evaluate --judge-endpoint` compares with a person's verdicts where the file holds them."""
    given = [{"id": "q1", "answer": "yes", "right": True}, {"id": "q2", "answer": "no", "right": False}]
    questions, generated = files(tmp_path, given)
    with ScriptedEndpoint(verdict) as server:
        typed = ["evaluate", "--out", tmp_path / "out", "--questions", questions, "--generated", generated]
        judge = ["--judge-endpoint", server.url, "--judge-model", "big"]
        done = CliRunner().invoke(app, [str(each) for each in (*typed, *judge)])
    assert done.exit_code == 0, done.output
    report = (tmp_path / "out" / "report.md").read_text()
    assert "It agrees with a person's verdicts on 100.0% (Cohen's kappa 1.00)" in report
