"""The commands of labelling as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_endpoint import SIGNALS, Answer, ScriptedEndpoint, completion
from typer.testing import CliRunner

from credit_signals.cli.tune_commands import tune_app
from credit_signals.errors import ConfigurationError

KEY = "sk-very-secret-0123456789"


def _run(arguments: list[object]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TEACHER_KEY": KEY}
    command = [sys.executable, "-m", "credit_signals.cli", "tune", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Two sentences."""
    path = tmp_path / "sample.jsonl"
    path.write_text("".join(json.dumps({"id": f"s{n}", "text": f"We hire {n}."}) + "\n" for n in range(2)))
    return path


def test_the_key_is_sent_and_never_shown(sample: Path) -> None:
    """The key goes to the endpoint; output, errors and files do not hold it, even where the endpoint repeats it."""
    echo = Answer(400, f"bad request by {KEY}".encode())
    with ScriptedEndpoint(lambda n, _body: echo if n == 1 else completion(SIGNALS)) as server:
        options = ["--endpoint", server.url, "--model", "big", "--key-env", "TEACHER_KEY", "--at-once", 1]
        done = _run(["label", sample, sample.with_name("out.jsonl"), *options])
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert json.loads(done.stdout)["labelled"] == 1
    assert KEY not in done.stdout + done.stderr
    assert all(KEY.encode() not in file.read_bytes() for file in sample.parent.iterdir())


@pytest.mark.parametrize("key", [None, "", "  ", "two words", "schlüssel"])
def test_a_missing_or_impossible_key_is_refused_by_the_name_of_its_variable(
    sample: Path, key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, its value is not; nothing is asked."""
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("TEACHER_KEY", key)
    options = ["--endpoint", "http://127.0.0.1:1/v1", "--model", "big", "--key-env", "TEACHER_KEY"]
    done = CliRunner().invoke(tune_app, ["label", str(sample), str(sample.with_name("out.jsonl")), *options])
    assert isinstance(done.exception, ConfigurationError)
    assert str(done.exception) == "the environment variable TEACHER_KEY holds no key"


def test_an_endpoint_that_refuses_the_key_ends_with_an_error(sample: Path) -> None:
    """Scripts see that a run is not complete: exit code 2 and one sentence, after the figures."""
    with ScriptedEndpoint(lambda _n, _body: Answer(401)) as server:
        done = _run(["label", sample, sample.with_name("out.jsonl"), "--endpoint", server.url, "--model", "big"])
    figures: dict[str, Any] = json.loads(done.stdout)
    assert figures["labelled"] == 0
    assert done.returncode == 2
    assert done.stderr.startswith("credit-signals: endpoint gone: ")
    assert "HTTP 401" in done.stderr


def test_sampling_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without store and files there is nothing to choose from."""
    monkeypatch.delenv("CREDIT_SIGNALS_STORE_URL", raising=False)
    done = CliRunner().invoke(tune_app, ["sample", "--out", str(tmp_path / "s.jsonl"), "--count", "5"])
    assert isinstance(done.exception, ConfigurationError)
    assert "name a --store" in str(done.exception)


def test_a_store_is_sampled(tmp_path: Path) -> None:
    """The command opens the store that is named, as every command does; without a run in it, it says so."""
    store = f"sqlite:///{tmp_path / 'store.db'}"
    done = CliRunner().invoke(tune_app, ["sample", "--out", str(tmp_path / "s"), "--count", "5", "--store", store])
    assert str(done.exception) == "the store has no run yet"
