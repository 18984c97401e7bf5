"""Whether a worker is alive and whether it is ready: what its loop, its watchers and its signals have said last."""

from __future__ import annotations

import time
from collections.abc import Callable

from credit_signals.pipeline import Part

LATELY_SECONDS = 60.0  # an answer older than this says nothing about now; three of the longest waits between looks
NEEDED = (Part.QUEUE, Part.STORE)


class WorkerHealth:
    """Written by the worker's threads, read by the probes; every method returns at once.

    A worker that waits for a dead queue or store is alive, for a restart helps nobody, and it is not ready.
    """

    def __init__(self, stall_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stall_seconds = stall_seconds
        self._stepped_at = clock()
        self._answered_at: dict[Part, float] = {}
        self._failing: set[Part] = set()
        self._loaded = False
        self._draining = False

    def stepped(self) -> None:
        """The loop goes on."""
        self._stepped_at = self._clock()

    def loaded(self) -> None:
        """The reader is verified and loaded."""
        self._loaded = True

    def draining(self) -> None:
        """The worker takes nothing more."""
        self._draining = True

    def answered(self, part: Part) -> None:
        """A part did what it was asked for."""
        self._answered_at[part] = self._clock()
        self._failing.discard(part)

    def failed(self, part: Part) -> None:
        """A part did not."""
        self._failing.add(part)

    def not_alive(self) -> list[str]:
        """Why the worker should be restarted; empty while it is alive."""
        still = self._clock() - self._stepped_at
        return [f"loop: no step for {still:.0f} s"] if still > self._stall_seconds else []

    def not_ready(self) -> list[str]:
        """What keeps the worker from reading; empty while it is ready."""
        reasons = ["draining"] if self._draining else []
        if not self._loaded:
            reasons.append("reader: not loaded yet")
        reasons += filter(None, map(self._missing, NEEDED))
        return reasons + self.not_alive()

    def _missing(self, part: Part) -> str:
        if part in self._failing:
            return f"{part}: does not answer"
        if part not in self._answered_at:
            return f"{part}: has not answered yet"
        since = self._clock() - self._answered_at[part]
        return f"{part}: no answer for {since:.0f} s" if since > LATELY_SECONDS else ""
