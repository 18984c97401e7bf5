"""The report of an evaluation, and the files beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from typer.testing import CliRunner

from credit_signals.cli.commands import app
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.answers import BASELINE, Answers, load_answers, save_answers
from credit_signals.tuning.comparison import compare
from credit_signals.tuning.evaluation.evaluate import Wanted, evaluate
from credit_signals.tuning.teacher import CODES


def answers(reader_id: str, errors: float, rows: int = 150) -> Answers:
    """Answers in which a share of the pairs is wrong."""
    truth, luck = np.random.default_rng(5), np.random.default_rng(6)
    gold = truth.random((rows, len(CODES))) < 0.06
    wrong = luck.random(gold.shape) < errors
    told = np.where(gold ^ wrong, 0.8, 0.1)
    return Answers(
        reader_id=reader_id,
        data_hash="0123abcd",
        cpu_seconds_per_section=0.02,
        ids=tuple(f"s{row}" for row in range(rows)),
        groups=tuple(f"site/{row // 3}" for row in range(rows)),
        languages=("en",) * rows,
        gold=gold,
        found=gold ^ wrong,
        probabilities=told,
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Answers of a reader and of the baseline."""
    mine, other = tmp_path / "mine.answers.jsonl", tmp_path / "other.jsonl"
    save_answers(answers("1-mine", 0.01), mine)
    save_answers(answers(BASELINE, 0.05), other)
    return mine, other


def test_the_report_begins_with_what_matters(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Headline first, then pictures, then details, then how it was measured; every picture is there and is SVG."""
    out = tmp_path / "out"
    evaluate(Wanted(out, answers=tuple(reversed(files)), command="credit-signals evaluate"))
    report = (out / "report.md").read_text()
    places = [
        report.index(part) for part in ("# Evaluation of mine", "micro-F1", "![", "## Signals by code", "## How it")
    ]
    assert places == sorted(places)
    assert "0123abcd" in report
    assert "credit-signals evaluate" in report
    assert "TF-IDF + logistic regression" in report
    pictures = {part.split(")")[0] for part in report.split("](")[1:]}
    assert pictures == {f"plots/{name}.svg" for name in ("codes", "parts", "reliability", "abstention")}
    for name in pictures:
        assert ET.fromstring((out / name).read_text()).tag.endswith("svg")


def test_the_files_are_those_that_promotion_takes(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Answers load and compare; figures name the reader and the split."""
    out = tmp_path / "out"
    done = evaluate(Wanted(out, answers=files))
    mine, other = (load_answers(Path(each["answers"])) for each in done["readers"].values())
    comparison = compare(mine, other)
    metrics = json.loads(Path(done["readers"]["mine"]["metrics"]).read_text())
    assert (metrics["reader_id"], metrics["data_hash"]) == ("1-mine", "0123abcd")
    assert metrics["micro_f1"] == comparison.figures[0].candidate
    low, high = metrics["intervals"]["micro_f1"]
    assert low <= metrics["micro_f1"] <= high
    assert comparison.figures[0].low > 0


def test_the_same_evaluation_writes_the_same_files(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Report, pictures and figures change only when what they show does."""
    outs = [tmp_path / "one", tmp_path / "two"]
    for out in outs:
        evaluate(Wanted(out, answers=files))
    first, second = ({p.name: p.read_bytes() for p in out.rglob("*") if p.is_file()} for out in outs)
    assert first == second


def test_different_splits_are_not_compared(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Answers to other sentences are refused by name."""
    save_answers(replace(answers("1-else", 0.1), data_hash="other"), files[1])
    with pytest.raises(ConfigurationError, match="mine and other answered different splits"):
        evaluate(Wanted(tmp_path / "out", answers=files))


def test_few_documents_are_reported_without_comparison(tmp_path: Path) -> None:
    """With too few documents to compare, the figures are still told."""
    for name in ("a", "b"):
        save_answers(answers(f"1-{name}", 0.02, rows=9), tmp_path / f"{name}.jsonl")
    evaluate(Wanted(tmp_path / "out", answers=(tmp_path / "a.jsonl", tmp_path / "b.jsonl")))
    assert "Against" not in (tmp_path / "out" / "report.md").read_text()


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    """Two files of one name are reported under two names, by their folders."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save_answers(answers(f"1-{folder}", 0.02), tmp_path / folder / "a.jsonl")
    paths = (tmp_path / "one/a.jsonl", tmp_path / "two/a.jsonl")
    done = evaluate(Wanted(tmp_path / "out", answers=paths))
    assert list(done["readers"]) == ["a", "two/a"]


def test_nothing_to_measure_is_refused(tmp_path: Path) -> None:
    """A reader without sentences, descriptions without a reader, and nothing at all are named."""
    with pytest.raises(ConfigurationError, match="nothing to measure"):
        evaluate(Wanted(tmp_path))
    with pytest.raises(ConfigurationError, match="needs labelled sentences, or descriptions"):
        evaluate(Wanted(tmp_path, readers=(tmp_path / "reader.toml",)))


def test_the_command_prints_where_things_are(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """`credit-signals evaluate` on answers alone needs no model."""
    out = tmp_path / "out"
    typed = ["evaluate", "--out", str(out), "--answers", str(files[0]), "--answers", str(files[1])]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert str(out / "report.md") in done.output
