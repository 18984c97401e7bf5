"""`credit-signals plan` as a person or a script calls it."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit_signals.cli.commands import app
from credit_signals.cli.planning import parse_count, show_bytes, show_count, show_times
from credit_signals.errors import ConfigurationError
from credit_signals.planning.figures import load_figures


def run(*arguments: str) -> str:
    """What `plan` prints."""
    result = CliRunner().invoke(app, ["plan", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("text", "count"),
    [("10_000_000", 10_000_000), ("10,000,000", 10_000_000), ("10M", 10_000_000), ("2.5k", 2_500), ("7", 7)],
)
def test_counts_are_written_in_many_ways(text: str, count: int) -> None:
    """Underscores, commas and k, M, b are understood."""
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1e6", "99b"])
def test_what_is_no_count_is_refused(text: str) -> None:
    """A number that cannot be a number of companies is refused and quoted."""
    with pytest.raises(ConfigurationError, match="no number of companies"):
        parse_count(text)


def test_the_tables_answer_what_was_asked() -> None:
    """One call tells machines, bytes, dollars, CPU against GPU, limits, and how its figures came to be."""
    said = run("--companies", "10_000_000", "--every", "7d", "--pages", "12")
    for part in ("reader pods", "crawl processes", "archive (WARC)", "EKS control plane", "a GPU pays from"):
        assert part in said
    assert "Where it breaks" in said
    assert "check yours" in said
    assert f"{len(load_figures())} figures" in said


def test_json_is_whole_and_follows_given_figures() -> None:
    """--json prints one object; a given figure changes it and is marked as given; the settings count."""
    plain = json.loads(run("--companies", "1M", "--json"))
    given = json.loads(run("--companies", "1M", "--json", "--figure", "changed_share_weekly=0.16"))
    assert given["sized"]["load"]["read_sections"] == pytest.approx(2 * plain["sized"]["load"]["read_sections"])
    assert given["figures"]["changed_share_weekly"]["origin"] == "given"
    assert plain["wish"]["queue_length"] == 50_000
    assert {limit["part"] for limit in plain["limits"]} == {limit["part"] for limit in given["limits"]}


def test_settings_of_the_crawl_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delay and hosts at once are those of the settings, so that a plan is one of this installation."""
    monkeypatch.setenv("CREDIT_SIGNALS_MIN_DELAY", "5")
    monkeypatch.setenv("CREDIT_SIGNALS_HOSTS", "10")
    slow = json.loads(run("--json"))
    assert slow["sized"]["crawl"]["by_waiting"] > slow["sized"]["crawl"]["by_processor"]
    assert slow["wish"]["hosts"] == 10


def test_limits_alone() -> None:
    """--break shows where the design breaks and nothing else."""
    said = run("--break")
    assert "results page" in said
    assert "reader pods" not in said


def test_figures_are_listed_with_their_origin() -> None:
    """--figures lists every figure with its origin, as a table or as JSON."""
    listed = json.loads(run("--figures", "--json", "--figure", "live_share=0.5"))
    assert set(listed) == set(load_figures())
    assert listed["live_share"]["origin"] == "given"
    assert "assumed" in run("--figures")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--companies", "none"], "no number of companies"),
        (["--every", "weekly"], "no duration"),
        (["--within", "8d"], "within the time between two passes"),
        (["--figure", "nonsense=1"], "no figure is called 'nonsense'"),
        (["--read-node", "abacus.large"], "abacus.large"),
    ],
)
def test_wrong_options_are_refused_by_name(arguments: list[str], said: str) -> None:
    """What cannot be planned is refused with a sentence that quotes it."""
    with pytest.raises(ConfigurationError, match=said):
        run(*arguments)


def test_the_plot_is_drawn_and_told(tmp_path: Path) -> None:
    """--plot simulates, writes the picture, and says how long sections wait."""
    pytest.importorskip("matplotlib")
    picture = tmp_path / "plan.svg"
    said = run("--companies", "300k", "--plot", str(picture), "--hours", "2")
    assert "<svg" in picture.read_text("utf-8")
    assert "a section is answered after" in " ".join(said.split())
    with pytest.raises(ConfigurationError, match=r"\.svg"):
        run("--companies", "100k", "--plot", str(tmp_path / "plan.doc"), "--hours", "0.2")


def test_without_matplotlib_the_plot_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, --plot says how to get it."""
    real = builtins.__import__

    def absent(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ConfigurationError, match=r"credit-signals\[plan\]"):
        run("--companies", "100k", "--plot", str(tmp_path / "plan.png"), "--hours", "0.2")


def test_bytes_and_counts_are_short() -> None:
    """Large numbers are shown with three digits and a unit."""
    assert [show_bytes(count) for count in (0, 999, 1_500, 2e12)] == ["0 B", "999 B", "1.5 kB", "2 TB"]
    assert [show_times(share) for share in (0.004, 1.02, 1290)] == ["0%", "102%", "1,290 times"]
    assert [show_count(count) for count in (7_752, 1.45e6, 2.3e9)] == ["7,752", "1.45 million", "2.3 billion"]
