"""Agreement of two teachers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.labelling.compare import Table, compare


def _file(path: Path, rows: dict[str, list[tuple[str, str, str]]], text: str = "Text of") -> Path:
    lines: list[dict[str, Any]] = [
        {
            "id": name,
            "text": f"{text} {name}",
            "signals": [
                {"code": code, "stance": stance, "subject": subject, "severity": 2} for code, stance, subject in signals
            ],
        }
        for name, signals in rows.items()
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_kappa_is_cohens() -> None:
    """The example of two raters with 20, 5, 10 and 15 decisions has kappa 0.4."""
    table = Table(both=20, first=5, second=10, neither=15)
    assert table.kappa == pytest.approx(0.4)
    assert table.f1 == pytest.approx(40 / 55)


def test_agreement_by_chance_is_none() -> None:
    """Two raters who say yes at random, each half of the time, have kappa 0; with no decisions at all it is 1."""
    assert Table(25, 25, 25, 25).kappa == pytest.approx(0.0)
    assert Table(0, 0, 0, 100).kappa == 1.0
    assert Table(0, 0, 0, 0).kappa == 1.0


def test_codes_stance_and_subject_are_compared(tmp_path: Path) -> None:
    """Figures per code, attributes where the code is shared, and every disagreement under its id."""
    first = _file(
        tmp_path / "a.jsonl",
        {
            "1": [("recall", "ongoing", "company")],
            "2": [("hiring", "planned", "company"), ("expansion", "planned", "company")],
            "3": [],
            "only": [],
        },
    )
    second = _file(
        tmp_path / "b.jsonl",
        {"1": [("recall", "occurred", "company")], "2": [("hiring", "planned", "company")], "3": []},
    )
    figures = compare(first, second)
    assert (figures["sentences"], figures["only_in_first"], figures["only_in_second"]) == (3, 1, 0)
    assert figures["per_code"]["expansion"]["f1"] == 0.0
    assert figures["per_code"]["hiring"] == {"both": 1, "first_only": 0, "second_only": 0, "f1": 1.0, "kappa": 1.0}
    assert figures["micro_f1"] == pytest.approx(0.8)
    assert (figures["stance_agreement"], figures["subject_agreement"], figures["shared_signals"]) == (0.5, 1.0, 2)
    assert figures["disagreements"] == {
        "1": {"first": ["recall/ongoing/company/2"], "second": ["recall/occurred/company/2"]},
        "2": {"first": ["expansion/planned/company/2"], "second": []},
    }


def test_files_of_other_sentences_are_refused(tmp_path: Path) -> None:
    """Without a common sentence, or with one id on two texts, there is nothing to compare."""
    first = _file(tmp_path / "a.jsonl", {"1": []})
    with pytest.raises(ConfigurationError, match="no sentence in common"):
        compare(first, _file(tmp_path / "b.jsonl", {"2": []}))
    with pytest.raises(ConfigurationError, match="sentence 1 has two texts"):
        compare(first, _file(tmp_path / "c.jsonl", {"1": []}, text="Else"))
