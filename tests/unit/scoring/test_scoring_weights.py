"""The weights file is checked when loaded."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.scoring import load_weights

PACKAGED = (files("credit_signals.scoring") / "weights.toml").read_text(encoding="utf-8")


def test_every_band_is_named() -> None:
    """Each value of the gauge has a band."""
    weights = load_weights()
    assert [weights.band(value) for value in (1, 19, 20, 40, 60, 79, 80, 100)] == [
        "critical",
        "critical",
        "weak",
        "watch",
        "fair",
        "fair",
        "good",
        "good",
    ]


def test_every_number_has_its_reason() -> None:
    """Each weight in the packaged file carries a comment."""
    numbers = [line for line in PACKAGED.split("[codes]")[1].splitlines() if " = " in line]
    assert [line for line in numbers if "#" not in line] == []


def test_the_version_follows_the_numbers(tmp_path: Path) -> None:
    """A changed number changes the version, a changed comment does not."""
    path = tmp_path / "weights.toml"
    path.write_text(PACKAGED + "\n# a remark\n", encoding="utf-8")
    assert load_weights(path).version == load_weights().version
    path.write_text(PACKAGED.replace("base = 65.0", "base = 60.0"), encoding="utf-8")
    assert load_weights(path).version != load_weights().version


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("layoffs = -10.0", "layoffs = 10.0", "tone of layoffs"),
        ("recall = -8.0", "", "missing recall"),
        ("recall = -8.0", "recall = -8.0\nrecal = -8.0", "unknown recal"),
        ("denied = 0.0", "denied = -1.0", "stance.denied"),
        ("diminish = 0.5", "diminish = 1.0", "diminish"),
        ("from = 1 }", "from = 2 }", "bands"),
        ("base = 65.0", "base = inf", "base"),
        ("[codes]", "[codes", "not a weights file"),
        ("[facts]", "[fact]", "facts"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, old: str, new: str, told: str) -> None:
    """The error names the file and what is wrong in it."""
    path = tmp_path / "mine.toml"
    path.write_text(PACKAGED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.toml") as caught:
        load_weights(path)
    assert told in str(caught.value)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    """A path that is not there is a configuration error."""
    with pytest.raises(ConfigurationError, match="absent"):
        load_weights(tmp_path / "absent.toml")
