"""How long a section takes, measured between looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.scaling import Look, Pace


def _watch(pace: Pace, *looks: tuple[float, int, int, bool]) -> float:
    for look in looks:
        pace.see(Look(*look))
    return pace.service_seconds


def test_before_anything_is_seen_the_guess_counts() -> None:
    """The first look measures nothing: there is no earlier one."""
    assert _watch(Pace(0.2), (0.0, 500, 4, True)) == pytest.approx(0.2)


@given(st.floats(0.001, 60), st.floats(0.001, 60), st.integers(1, 50))
def test_a_steady_pace_is_found(guess: float, real: float, workers: int) -> None:
    """After twenty busy looks the guess is forgotten, however wrong it was."""
    answered = [round(look * 30 * workers / real) for look in range(20)]
    if answered[-1] >= 200:
        looks = [(30.0 * number, count, workers, True) for number, count in enumerate(answered)]
        assert _watch(Pace(guess), *looks) == pytest.approx(real, rel=0.3)


def test_idle_time_is_no_service_time() -> None:
    """Workers that waited for sections are not taken for slow ones."""
    assert _watch(Pace(0.2), (0, 0, 2, True), (3600, 10, 2, False), (7200, 20, 2, True)) == pytest.approx(0.2)


def test_a_batch_that_is_not_answered_yet_counts_when_it_is() -> None:
    """A slow model answers sixteen sections at once, after many looks without any."""
    looks = [(30.0 * number, 0 if number < 7 else 160, 10, True) for number in range(8)]
    assert _watch(Pace(210 / 16), *looks) == pytest.approx(210 * 10 / 160)


def test_workers_that_answer_nothing_do_not_ask_for_more_workers() -> None:
    """While the store is down nothing is read, and that says nothing about the time of a section."""
    assert _watch(Pace(0.2), *((30.0 * number, 7, 4, True) for number in range(100))) == pytest.approx(0.2)


def test_a_count_that_falls_measures_nothing() -> None:
    """Sections that are queued again make fewer answered ones."""
    assert _watch(Pace(0.2), (0, 100, 1, True), (30, 40, 1, True)) == pytest.approx(0.2)


def test_workers_that_come_and_go_measure_nothing() -> None:
    """Between one worker and twenty nobody knows when the others began."""
    assert _watch(Pace(0.2), (0, 0, 1, True), (30, 40, 20, True)) == pytest.approx(0.2)
    assert _watch(Pace(0.2), (0, 0, 19, True), (30, 4000, 20, True)) < 0.2
