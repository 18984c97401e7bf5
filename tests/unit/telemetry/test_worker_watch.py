"""Looks beside the reading."""

from __future__ import annotations

import threading

import pytest

from credit_signals.errors import StoreUnavailable
from credit_signals.telemetry.watching import Watch


@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("nobody thought of it")])
def test_a_look_that_fails_is_not_the_last(error: Exception) -> None:
    """Whatever a look raises, the next one comes: a worker whose looks had ended would never be ready again."""
    looks = 0
    again = threading.Event()

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise error
        again.set()

    with Watch("part", look, 0.001):
        assert again.wait(10)
