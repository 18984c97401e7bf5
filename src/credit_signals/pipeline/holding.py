"""What a worker holds: renewed while it is read, and given back from another thread when there is no time left."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread

from credit_signals.errors import QueueError
from credit_signals.task_queue.base import Delivery, TaskQueue

log = logging.getLogger(__name__)


class Hand:
    """The deliveries of one worker's present batch; none between two batches."""

    def __init__(self) -> None:
        self._lock = Lock()  # what was given back must not be renewed after
        self._queue: TaskQueue | None = None
        self._deliveries: Sequence[Delivery] = ()

    @contextmanager
    def holding(self, queue: TaskQueue, deliveries: Sequence[Delivery], renew_seconds: float) -> Iterator[None]:
        """Hold deliveries for the length of a block, however long it takes."""
        with self._lock:
            self._queue, self._deliveries = queue, deliveries
        finished = Event()

        def renew() -> None:
            while not finished.wait(renew_seconds):
                self._renew()

        thread = Thread(target=renew, daemon=True, name="renew")
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
            with self._lock:
                self._deliveries = ()

    def _renew(self) -> None:
        with self._lock:
            if self._queue is None or not self._deliveries:
                return
            try:
                self._queue.extend(self._deliveries)
            except QueueError as error:
                log.warning("could not renew %d deliveries: %s", len(self._deliveries), error)

    def give_back(self) -> int:
        """Hand back what is held, so that others may take it at once; how many. Raises QueueError."""
        with self._lock:
            held, self._deliveries = self._deliveries, ()
            if self._queue is not None and held:
                self._queue.release(held)
            return len(held)
