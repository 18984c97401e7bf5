"""Waiting for what does not answer."""

from __future__ import annotations

import math
from threading import Event

from credit_signals.pipeline import Patience

ERROR = OSError("no answer")


def _stopped() -> Event:
    stop = Event()
    stop.set()  # so that no pause takes time
    return stop


def test_patience_ends_and_is_renewed() -> None:
    """A bounded patience is over after some pauses, and begins anew after an answer; without a bound it never ends."""
    patience = Patience(10, _stopped())
    waits = 0
    while patience.wait(ERROR):
        waits += 1
    assert 1 < waits < 20
    patience.renew()
    assert patience.wait(ERROR)
    endless = Patience(math.inf, _stopped())
    assert all(endless.wait(ERROR) for _ in range(100))
    assert not Patience(0, _stopped()).wait(ERROR)
