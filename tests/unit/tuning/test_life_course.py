"""The course of a life: steps are done once, done again when what they took changed, and named when they fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credit_signals.domain import RegisteredReader
from credit_signals.errors import ConfigurationError, StepFailed
from credit_signals.store import MemoryStore
from credit_signals.tuning.life.course import Life, Step, figures_of, run_step
from credit_signals.tuning.life.deciding import require_activities
from credit_signals.tuning.life.plan import Folder, Plan, plan_of, read_plan, write_plan
from credit_signals.tuning.life.stages import STEPS
from credit_signals.tuning.life.tools import Tools

SHIPPED_INDEX = Path(__file__).resolve().parents[3] / "workers/section_reader/models/activity.npz"


def make_plan(folder: Path, **values: Any) -> Plan:
    """A plan with a base of the right width."""
    (folder / "base").mkdir(exist_ok=True)
    (folder / "base" / "config.json").write_text(json.dumps({"hidden_size": 384}))
    given = {"endpoint": "http://h/v1", "model": "big", "base": folder / "base", "questions": folder, **values}
    return plan_of(given)


def make_tools(folder: Path) -> Tools:
    """Tools over an empty store."""

    def manifest_of(reader: RegisteredReader) -> Path:
        return Path(reader.manifest)

    return Tools(MemoryStore, manifest_of, str, folder / "reader.toml", "a test")


@pytest.fixture
def life(tmp_path: Path) -> Life:
    """A life in an empty folder, with a file to take."""
    (tmp_path / "in.txt").write_text("one")
    return Life(make_plan(tmp_path), Folder(tmp_path), make_tools(tmp_path))


def copying(done: list[str]) -> Step:
    """A step that copies in.txt to out.txt and notes it."""

    def work(life: Life) -> dict[str, Any]:
        text = life.folder.file("in.txt").read_text()
        life.folder.file("out.txt").write_text(text)
        done.append(text)
        return {"line": f"copied {text}"}

    return Step("copy", work, lambda life: [life.folder.file("in.txt")], lambda life: [life.folder.file("out.txt")])


def test_a_finished_step_is_passed_over(life: Life) -> None:
    """Until its input changes, or its output is gone or was changed."""
    done: list[str] = []
    for _ in range(2):
        assert run_step(copying(done), life)["line"] == "copied one"
    assert done == ["one"]
    life.folder.file("out.txt").write_text("spoilt")
    run_step(copying(done), life)
    life.folder.file("out.txt").unlink()
    run_step(copying(done), life)
    assert done == ["one"] * 3
    life.folder.file("in.txt").write_text("two")
    assert run_step(copying(done), life)["line"] == "copied two"
    assert figures_of("copy", life.folder.path)["line"] == "copied two"


def test_a_stamp_that_was_cut_short_counts_for_nothing(life: Life) -> None:
    """A crash while the stamp is written costs the step, not the life."""
    done: list[str] = []
    run_step(copying(done), life)
    stamp = life.folder.file("steps/copy.json")
    stamp.write_text(stamp.read_text()[:20])
    run_step(copying(done), life)
    assert done == ["one", "one"]


def test_a_moved_folder_is_still_finished(life: Life, tmp_path: Path) -> None:
    """Files of the folder are kept by names relative to it."""
    done: list[str] = []
    run_step(copying(done), life)
    (tmp_path / "moved").mkdir()
    for name in ("in.txt", "out.txt", "steps"):
        life.folder.file(name).rename(tmp_path / "moved" / name)
    run_step(copying(done), replace(life, folder=Folder(tmp_path / "moved")))
    assert done == ["one"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigurationError("too few"), "step copy of .*: too few"),
        (FileNotFoundError(2, "No such file", "x.bin"), "step copy of .*x.bin"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), "needs the extra `tune`: torch"),
    ],
)
def test_a_failure_names_the_step(life: Life, error: Exception, told: str) -> None:
    """Whoever reads the last line knows where to look, and no stamp is left."""

    def fail(_life: Life) -> dict[str, Any]:
        raise error

    with pytest.raises(StepFailed, match=told):
        run_step(replace(copying([]), work=fail), life)
    assert not life.folder.file("steps/copy.json").exists()


def test_the_steps_are_those_of_a_life() -> None:
    """In their order."""
    assert list(STEPS) == ["sample", "label", "grade", "dataset", "train", "export", "evaluate", "promote"]


def test_a_plan_is_kept_without_secrets_and_with_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps in other processes and folders read the same plan."""
    monkeypatch.chdir(tmp_path)
    plan = make_plan(tmp_path, base=Path("base"), key_env="TEACHER_KEY", labels=[Path("more.jsonl")])
    write_plan(tmp_path / "life", plan)
    assert read_plan(tmp_path / "life") == plan
    assert plan.model.base == tmp_path / "base"
    assert plan.labels == (tmp_path / "more.jsonl",)
    assert (plan.epochs, plan.rank, plan.file_type) == (8, 32, "BF16")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"may_lose": 0.1}, "a trade needs a reason"),
        ({"trade_reason": "why not"}, "states no trade"),
        ({"count": 0}, "count: "),
        ({"kind": "tree"}, "kind: "),
        ({"endpoint": "https://me:secret@h/v1"}, "password"),
    ],
)
def test_a_plan_without_sense_is_refused(tmp_path: Path, values: dict[str, Any], told: str) -> None:
    """Before anything is sampled or paid for."""
    with pytest.raises(ConfigurationError, match=told):
        make_plan(tmp_path, **values)


def test_a_base_of_another_width_is_refused(tmp_path: Path) -> None:
    """An activity index is made for one width; a folder that holds no model is named too."""
    plan = make_plan(tmp_path, activity=SHIPPED_INDEX)
    (tmp_path / "base" / "config.json").write_text('{"hidden_size": 768}')
    with pytest.raises(ConfigurationError, match="width 768"):
        write_plan(tmp_path / "life", plan)
    (tmp_path / "base" / "config.json").unlink()
    with pytest.raises(ConfigurationError, match="no Hugging Face folder"):
        write_plan(tmp_path / "life", plan)


def test_activities_are_not_lost_by_an_oversight(tmp_path: Path) -> None:
    """A reader without them does not follow one that tells them, unless it is meant so."""
    part = 'file = "x"\nsha256 = "{}"\n'.format("0" * 64)
    parts = "".join(f"[{name}]\n{part}" for name in ("model", "heads", "activity"))
    (tmp_path / "reader.toml").write_text(f'kind = "encoder"\nversion = "1"\n{parts}')
    tools = make_tools(tmp_path)
    with pytest.raises(ConfigurationError, match="tells activities"):
        require_activities(make_plan(tmp_path), tools)
    for values in ({"activity": "a.npz"}, {"without_activities": True}, {"promote": False}):
        require_activities(make_plan(tmp_path, **values), tools)
