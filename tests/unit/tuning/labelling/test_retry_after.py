"""The Retry-After header."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.tuning.labelling.endpoint import retry_after

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 02 Jan 2026 03:04:35 GMT", 30.0),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
    ],
)
def test_seconds_and_dates_are_understood(value: str, seconds: float | None) -> None:
    """Both forms of RFC 9110; a date that is past means at once; anything else says nothing."""
    assert retry_after(value, MOMENT) == seconds


@given(st.text(max_size=40))
def test_no_header_breaks_it(value: str) -> None:
    """Whatever a server sends is a wait or none."""
    wait = retry_after(value, MOMENT)
    assert wait is None or wait >= 0
