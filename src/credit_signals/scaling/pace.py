"""How long a worker takes for a section, measured while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass

GUESSED_SECTIONS = 50  # for so many sections counts the first guess
KEPT = 0.7  # what an older measurement counts against the next one
STEADY = 0.8  # when workers come or go between two looks, nobody knows for how long they read


@dataclass(frozen=True, slots=True)
class Look:
    """A moment. `at`: seconds of any steady clock. `answered`: sections read so far. `workers`: those that read.

    `busy`: sections wait for every worker, so that none is idle.
    """

    at: float
    answered: int
    workers: int
    busy: bool


class Pace:
    """Seconds of one worker for one section: a guess at first, then what is seen between busy looks."""

    def __init__(self, guess: float) -> None:
        self._seconds, self._sections = guess * GUESSED_SECTIONS, float(GUESSED_SECTIONS)
        self._spent = 0.0  # worker-seconds since sections were last answered: answers come in batches
        self._last: Look | None = None

    @property
    def service_seconds(self) -> float:
        """The present measure."""
        return self._seconds / self._sections

    def see(self, look: Look) -> None:
        """Take one look into account; time in which a worker may have been idle, or not there, tells nothing."""
        before, self._last = self._last, look
        if before is None or not (before.busy and look.busy and _steady(before.workers, look.workers)):
            self._spent = 0.0
            return
        self._spent += (look.at - before.at) * (before.workers + look.workers) / 2
        answered = look.answered - before.answered
        if answered > 0 and self._spent > 0:
            self._seconds = self._seconds * KEPT + self._spent
            self._sections = self._sections * KEPT + answered
            self._spent = 0.0


def _steady(before: int, after: int) -> bool:
    return min(before, after) >= STEADY * max(before, after)
