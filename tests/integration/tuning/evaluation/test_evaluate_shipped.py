"""The shipped reader evaluated on some of the project's own sentences, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from credit_signals.cli.commands import app
from credit_signals.inference.manifest import load_manifest, reader_id
from credit_signals.tuning.answers import load_answers

ROOT = Path(__file__).parents[4]
READER = ROOT / "workers/section_reader"
SENTENCES = 40


@pytest.fixture
def manifest() -> Path:
    """The manifest of the shipped reader."""
    path = READER / "encoder.toml"
    if not load_manifest(path).model.file.exists():
        pytest.skip("the weights of the shipped reader are not here")
    return path


def descriptions(folder: Path) -> Path:
    """Ten descriptions of small businesses."""
    small = ROOT / "tests/unit/tuning/small_businesses.jsonl"
    path = folder / "small.jsonl"
    path.write_text("\n".join(small.read_text().splitlines()[:10]))
    return path


def test_the_shipped_reader_is_evaluated(tmp_path: Path, manifest: Path) -> None:
    """Report, answers and figures of the real reader on real sentences, and of activities on real descriptions."""
    lines = (READER / "training/website_signals.jsonl").read_text().splitlines()[:SENTENCES]
    (tmp_path / "blind.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"
    typed = ["evaluate", "--out", out, "--reader", manifest, "--blind", tmp_path / "blind.jsonl"]
    activities = ["--descriptions", descriptions(tmp_path), "--phrases", tmp_path / "none.jsonl"]
    done = CliRunner().invoke(app, [str(each) for each in (*typed, *activities)])
    assert done.exit_code == 0, done.output
    answers = load_answers(out / f"{reader_id(manifest)}.answers.jsonl")
    assert len(answers.ids) == SENTENCES
    assert answers.probabilities is not None
    assert (answers.probabilities > 0).all()
    assert answers.cpu_seconds_per_section > 0
    metrics = json.loads((out / f"{reader_id(manifest)}.metrics.json").read_text())
    assert metrics["micro_f1"] > 0.3
    assert metrics["stance_accuracy"] > 0.3
    assert metrics["activities"]["depths"]["NAICS2022 sector"]["top5"][0] > 0.3
    assert "## Activity by depth" in (out / "report.md").read_text()


def test_activities_are_measured_without_sentences(tmp_path: Path, manifest: Path) -> None:
    """Descriptions alone give a report of activities."""
    out = tmp_path / "out"
    typed = ["evaluate", "--out", out, "--reader", manifest, "--descriptions", descriptions(tmp_path)]
    done = CliRunner().invoke(app, [str(each) for each in (*typed, "--phrases", tmp_path / "none.jsonl")])
    assert done.exit_code == 0, done.output
    report = (out / "report.md").read_text()
    assert "## Activity by depth" in report
    assert "## Signals by code" not in report
