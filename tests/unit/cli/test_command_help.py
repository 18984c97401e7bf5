"""The command line teaches and refuses in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from credit_signals.cli.commands import app, main
from credit_signals.store import SqlStore

COMMANDS = [
    "run",
    "crawl",
    "enqueue",
    "work",
    "score",
    "report",
    "graph",
    "read",
    "doctor",
    "migrate",
    "serve",
    "evaluate",
]
QUEUE_COMMANDS = ["status", "dead", "retry", "purge"]
LIFE_COMMANDS = ["life", "life-step"]
READER_COMMANDS = ["list", "show", "history", "register", "promote", "rollback"]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and none of the developer's settings."""
    for name in [name for name in os.environ if name.startswith("CREDIT_SIGNALS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CREDIT_SIGNALS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence on stderr with which a command ends, exit code 2."""
    monkeypatch.setattr(sys, "argv", ["credit-signals", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("credit-signals: ")
    return line


def test_help_teaches_in_one_screen() -> None:
    """`credit-signals --help` names the command that does it all, and every command, in 40 lines."""
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100", "TERMINAL_WIDTH": "100"})
    assert shown.exit_code == 0
    assert "credit-signals run --companies FILE" in shown.output
    assert all(command in shown.output for command in [*COMMANDS, "queue", "readers"])
    assert len(shown.output.splitlines()) <= 40


@pytest.mark.parametrize(
    "command",
    [
        *([each] for each in COMMANDS),
        *(["queue", each] for each in QUEUE_COMMANDS),
        *(["readers", each] for each in READER_COMMANDS),
        *(["tune", each] for each in LIFE_COMMANDS),
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    """Each command's help says what it does and what its options mean."""
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.split()) > 15


def test_help_loads_no_stage() -> None:
    """Help answers at once: what crawls, reads and stores is loaded by the commands that need it."""
    code = (
        "import sys; from credit_signals.cli.commands import app; "
        "print([n for n in ('redis','sqlalchemy','networkx','trafilatura','numpy','llama_cpp') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--companies", "none.csv"], "none.csv: No such file or directory"),
        (["crawl", "--companies", "none.csv"], "none.csv: No such file or directory"),
        (["report"], "the store holds no run yet; start with `credit-signals run --companies FILE`"),
        (["score", "--run", "nope"], "run 'nope' is not in the store"),
        (["graph", "a.example"], "the store holds no run yet"),
        (["queue", "status"], "no task queue: set CREDIT_SIGNALS_REDIS_URL"),
        (["enqueue"], "no task queue: set CREDIT_SIGNALS_REDIS_URL"),
        (["readers", "show"], "no reader is promoted yet"),
        (["readers", "show", "9-x"], "reader '9-x' is not registered"),
        (["readers", "rollback"], "no reader was promoted, so there is nothing to go back to"),
    ],
)
def test_what_is_missing_is_named(
    arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file, run or setting is one sentence that says what to do."""
    assert sentence in refusal(monkeypatch, capsys, *arguments)


def test_a_list_without_a_usable_column_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no company list says which columns are looked for."""
    (tmp_path / "list.csv").write_text("colour,size\nred,3\n")
    sentence = refusal(monkeypatch, capsys, "crawl", "--companies", "list.csv")
    assert "no column is called domain, website, url or homepage" in sentence


def test_a_damaged_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model file that is not the one of its manifest is refused before anything is read."""
    (tmp_path / "model.gguf").write_bytes(b"GGUF, but damaged")
    (tmp_path / "reader.toml").write_text(
        'kind = "encoder"\nversion = "1"\n'
        f'model = {{ file = "model.gguf", sha256 = "{"0" * 64}" }}\n'
        f'heads = {{ file = "model.gguf", sha256 = "{"0" * 64}" }}\n'
    )
    (tmp_path / "texts.jsonl").write_text('{"id": 1, "text": "We make flour."}\n')
    monkeypatch.setenv("CREDIT_SIGNALS_READER", str(tmp_path / "reader.toml"))
    assert "model.gguf" in refusal(monkeypatch, capsys, "read", "--in", "texts.jsonl", "--out", "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_an_unknown_domain_is_named(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes a domain reads it back."""
    from credit_signals import pipeline

    data_dir.mkdir()
    store = SqlStore(f"sqlite:///{data_dir / 'store.db'}")
    store.migrate()
    pipeline.open_run(store, pipeline.RunRequest([]))
    store.close()
    assert "nobody.example: no such domain" in refusal(monkeypatch, capsys, "report", "nobody.example")
    assert "nobody.example: no such domain" in refusal(monkeypatch, capsys, "graph", "nobody.example")


def test_wrong_settings_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable of the wrong kind is named; values may be secrets and stay out."""
    monkeypatch.setenv("CREDIT_SIGNALS_BATCH", "hunter2")
    sentence = refusal(monkeypatch, capsys, "report")
    assert "CREDIT_SIGNALS_BATCH" in sentence
    assert "hunter2" not in sentence
    monkeypatch.setenv("CREDIT_SIGNALS_BATCH", "4")
    monkeypatch.setenv("CREDIT_SIGNALS_CONNECT_TO", "{hunter2")
    sentence = refusal(monkeypatch, capsys, "report")
    assert "connect_to" in sentence
    assert "hunter2" not in sentence


def test_a_file_that_cannot_be_written_is_named(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A data folder that is a file is one sentence, no traceback."""
    data_dir.write_text("in the way")
    assert "data" in refusal(monkeypatch, capsys, "run", "--companies", "none.csv")


def test_doctor_checks_every_part(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh machine is well; a broken store and an absent Redis fail by name, without passwords."""
    fine = CliRunner().invoke(app, ["doctor"])
    assert fine.exit_code == 0, fine.output
    assert [part for part in ("store", "redis", "reader", "weights", "airflow") if f"ok   {part}: " in fine.output] == [
        "store", "redis", "reader", "weights", "airflow",
    ]  # fmt: skip
    assert f"CREDIT_SIGNALS_DATA_DIR={data_dir}" in fine.output
    monkeypatch.setenv("CREDIT_SIGNALS_REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
    monkeypatch.setenv("CREDIT_SIGNALS_STORE_URL", "sqlite:////proc/none/store.db")
    broken = CliRunner().invoke(app, ["doctor"])
    assert broken.exit_code == 1
    assert "FAIL store: " in broken.output
    assert "FAIL redis: " in broken.output
    assert "ok   reader: " in broken.output
    assert "hunter2" not in broken.output
