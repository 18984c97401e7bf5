"""The figures of a plan: whole, sourced, and changeable by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.planning.figures import Origin, load_figures, parse_given, read_figures

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))
FIGURES = load_figures()
GOOD = '[a]\nvalue = 2\nlow = 1\nhigh = 3\nunit = "share"\norigin = "assumed"\nhow = "a guess"\n'


@pytest.mark.parametrize("name", list(FIGURES))
def test_each_figure_says_where_it_is_from(name: str) -> None:
    """Every figure has a unit and an origin, lies within its spread, and a measured one names its command."""
    figure = FIGURES.figure(name)
    assert figure.unit
    assert figure.low <= figure.value <= figure.high
    if figure.origin is Origin.MEASURED:
        assert any(f"benchmarks/{path.name}" in figure.how for path in SCRIPTS) or "llama.cpp" in figure.how
    if figure.unit == "share":
        assert 0 <= figure.low <= figure.high <= 1


def test_what_the_benchmark_measures_is_in_the_file() -> None:
    """Each figure that names the benchmark is printed by it, so that neither grows away from the other."""
    script = "".join((ROOT / "benchmarks" / name).read_text("utf-8") for name in ("plan_figures.py", "plan_lists.py"))
    measured = [name for name in FIGURES if FIGURES.figure(name).how.startswith("benchmarks/plan_figures.py")]
    rows = ("row_bytes",)  # named in a table of the script
    assert [name for name in measured if f'"{name}"' not in script and not name.endswith(rows)] == []


def test_a_given_value_replaces_a_figure_and_says_so() -> None:
    """A value from the command line is used and marked as given; the others stay."""
    changed = FIGURES.given({"live_share": 0.5})
    assert changed["live_share"] == 0.5
    assert changed.figure("live_share").origin is Origin.GIVEN
    assert len(changed) == len(FIGURES)
    assert FIGURES["live_share"] != 0.5


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"live": 0.5}, "no figure is called 'live'.*live_share"),
        ({"live_share": 1.5}, "live_share is a share"),
        ({"live_share": -1.0}, "live_share cannot be"),
        ({"response_seconds": float("nan")}, "response_seconds cannot be nan"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, float], said: str) -> None:
    """An unknown name, a share above 1, a negative value or none at all is refused with the figure's name."""
    with pytest.raises(ConfigurationError, match=said):
        FIGURES.given(values)


@pytest.mark.parametrize("text", ["live_share", "live_share=", "=1", "live_share=much", "a=1=2"])
def test_a_pair_that_gives_no_figure_is_refused(text: str) -> None:
    """Without a name, a sign or a number a pair is refused and quoted."""
    with pytest.raises(ConfigurationError, match="gives no figure"):
        parse_given([text])


@given(st.floats(0, 1e12))
def test_numbers_come_through(value: float) -> None:
    """What is written as a number is that number."""
    assert parse_given([f" a = {value!r} "]) == {"a": value}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "share"', ""),
        ('"assumed"', '"heard"'),
        ("value = 2", 'value = "much"'),
        ("low = 1", "low = 5"),
        ('"a guess"', '""'),
    ],
)
def test_a_broken_table_is_named(old: str, new: str) -> None:
    """A figure without unit, with an unknown origin, no number, a spread beside its value or no source is refused."""
    assert read_figures(GOOD)["a"] == 2
    with pytest.raises(ConfigurationError, match="figure a"):
        read_figures(GOOD.replace(old, new))
