"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.planning.durations import parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 604_800), ("12h", 43_200), ("1d12h", 129_600), (" 90M ", 5_400), ("2w", 1_209_600)]
)
def test_usual_forms(text: str, seconds: float) -> None:
    """Weeks, days, hours, minutes and seconds are understood, alone and together."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "12h1d", "1y", "7d 12h", "nan", "1e9d", "99999999w"])
def test_what_is_no_duration_is_refused_by_name(text: str) -> None:
    """A text that is no duration, or one of centuries, is refused and quoted."""
    with pytest.raises(ConfigurationError, match="no duration"):
        parse_duration(text)


@given(st.integers(1, 10), st.integers(0, 23))
def test_what_is_shown_is_understood(days: int, hours: int) -> None:
    """A duration of whole days and hours is shown so that it reads back as the same."""
    seconds = days * 86_400 + hours * 3_600
    assert parse_duration(show_duration(seconds).replace(" ", "")) == seconds


def test_less_than_a_second_is_shown() -> None:
    """A duration below a second is not shown as nothing."""
    assert show_duration(0.04) == "0.04s"
