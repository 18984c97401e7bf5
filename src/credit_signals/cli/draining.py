"""How a worker ends when it is told to: SIGTERM or SIGINT, once or twice."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
from collections.abc import Callable
from threading import Thread

from credit_signals.errors import QueueError
from credit_signals.pipeline import WorkOptions

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
HAND_BACK_SECONDS = 5.0  # for a queue that does not answer: others take the batch after the idle time


class Draining:
    """Stops a worker in order for the length of a block; enter it in the main thread.

    The first signal stops the loop after the batch in hand. When that takes longer than `seconds`, or at a second
    signal, the batch is handed back and the process exits with 0. `begun` is called at the first signal. When the
    parent was killed, and a Redis of its own with it, the process exits at once, with 128 + the signal.

    Signals are heard in a thread of their own (signal.set_wakeup_fd): Python calls no handler while llama.cpp computes.
    """

    def __init__(self, options: WorkOptions, seconds: float, begun: Callable[[], None]) -> None:
        self._options = options
        self._seconds = seconds
        self._begun = begun
        self._parent = os.getppid()
        self._heard, self._hear = socket.socketpair()

    def __enter__(self) -> Draining:
        self._hear.setblocking(False)
        Thread(target=self._run, daemon=True, name="signals").start()
        signal.set_wakeup_fd(self._hear.fileno(), warn_on_full_buffer=False)
        self._before = [signal.signal(number, lambda _number, _frame: None) for number in SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._hear.close()

    def _run(self) -> None:
        with self._heard:
            self._obey()

    def _obey(self) -> None:
        number = self._next(None)
        if number is None:
            return
        if os.getppid() != self._parent:
            os._exit(128 + number)
        log.info("signal %d: finishing the batch in hand", number)
        self._begun()
        self._options.stop.set()
        select.select([self._heard], [], [], self._seconds)
        again = self._next(0)
        if again is None and self._hear.fileno() < 0:
            return  # the worker has ended by itself
        log.warning("handing the batch back: %s", f"signal {again}" if again else f"not done in {self._seconds:g} s")
        self._leave()

    def _next(self, seconds: float | None) -> int | None:
        """The next signal; None when there is none in time, or when the block was left."""
        ready = select.select([self._heard], [], [], seconds)[0]
        received = self._heard.recv(1) if ready else b""
        return received[0] if received else None

    def _leave(self) -> None:
        giving = Thread(target=self._give_back, daemon=True)
        giving.start()
        giving.join(HAND_BACK_SECONDS)
        logging.shutdown()
        os._exit(0)

    def _give_back(self) -> None:
        try:
            count = self._options.hand.give_back()
        except QueueError as error:
            log.warning("could not hand back: %s; others take the batch after the idle time", error)
        else:
            log.info("%d deliveries handed back", count)
