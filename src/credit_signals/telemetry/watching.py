"""Looks at queue and store from time to time, beside the reading: a probe only reads what was seen last."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from threading import Event, Thread

from credit_signals.errors import CreditSignalsError

log = logging.getLogger(__name__)


class Watch:
    """A daemon thread that calls `look` every `seconds`, a third more or less, for the length of a block.

    Chance spreads the looks of pods that started together. `look` may fail with an error of ours: what that means is
    its own matter.
    """

    def __init__(self, name: str, look: Callable[[], None], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True, name=f"watch-{name}")

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()  # not joined: it may wait for what does not answer

    def _run(self) -> None:
        while True:
            try:
                self._look()
            except CreditSignalsError as error:
                log.debug("%s: %s", self._thread.name, error)
            except Exception:  # a door: a thread that ended would leave the worker not ready for ever
                log.exception("%s", self._thread.name)
            if self._over.wait(self._seconds * random.uniform(2 / 3, 4 / 3)):  # noqa: S311  no secret
                return
