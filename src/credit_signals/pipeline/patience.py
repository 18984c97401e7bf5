"""How a worker waits for a queue or a store that does not answer."""

from __future__ import annotations

import logging
from threading import Event

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0  # seconds


class Patience:
    """Pauses that grow, `seconds` in all since the last `renew`; `stop` ends a pause."""

    def __init__(self, seconds: float, stop: Event) -> None:
        self._seconds = seconds
        self._stop = stop
        self._waited = 0.0

    def wait(self, error: Exception) -> bool:
        """Pause because of an error; False, at once, when patience is over."""
        if self._waited >= self._seconds:
            return False
        pause = min(LONGEST_PAUSE, 0.5 + self._waited / 4)
        log.warning("waiting %.1f s: %s", pause, error)
        self._stop.wait(pause)
        self._waited += pause
        return True

    def renew(self) -> None:
        """What did not answer has answered."""
        self._waited = 0.0
