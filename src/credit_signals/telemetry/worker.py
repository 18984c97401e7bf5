"""Everything that a worker tells of itself, put together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from credit_signals.errors import CreditSignalsError
from credit_signals.pipeline import BatchDone, Part
from credit_signals.store.base import ResultsStore
from credit_signals.task_queue.base import TaskQueue
from credit_signals.telemetry.health import LATELY_SECONDS, WorkerHealth
from credit_signals.telemetry.metrics import QueueGauges, WorkerMetrics
from credit_signals.telemetry.probes import ProbeServer
from credit_signals.telemetry.watching import Watch


class WorkerTelemetry:
    """Health and metrics of one worker; as a WorkObserver it hears of both from the loop."""

    def __init__(self, stall_seconds: float, look_seconds: float = 15.0) -> None:
        self.health = WorkerHealth(stall_seconds)
        self._look_seconds = look_seconds
        self._queue_gauges = QueueGauges(fresh_seconds=LATELY_SECONDS)
        self.metrics = WorkerMetrics(lambda: not self.health.not_ready(), self._queue_gauges)

    def served(self, port: int) -> ProbeServer:
        """Probes and metrics on a port, for the length of a block."""
        return ProbeServer(port, self.health, self.metrics.registry)

    @contextmanager
    def watching(self, queue: TaskQueue, store: ResultsStore) -> Iterator[None]:
        """Look at queue and store every `look_seconds`; the queue should be one of its own that does not retry."""

        def look_at_queue() -> None:
            try:
                self._queue_gauges.saw(queue.status())
            except CreditSignalsError:
                self._queue_gauges.saw(None)
                self.failed(Part.QUEUE)
                raise
            self.health.answered(Part.QUEUE)

        def look_at_store() -> None:
            try:
                store.latest_run()
            except CreditSignalsError:
                self.failed(Part.STORE)
                raise
            self.health.answered(Part.STORE)

        seconds = self._look_seconds
        with Watch("queue", look_at_queue, seconds), Watch("store", look_at_store, seconds):
            yield

    def opened(self, seconds: float) -> None:
        """A reader was verified and loaded."""
        self.metrics.opened(seconds)
        self.health.loaded()

    def stepped(self) -> None:
        """The loop goes on."""
        self.health.stepped()

    def idled(self) -> None:
        """The queue answered that nothing waits."""
        self.metrics.progressed()

    def answered(self, part: Part) -> None:
        """A part did what it was asked for."""
        self.health.answered(part)

    def failed(self, part: Part) -> None:
        """A part did not."""
        self.health.failed(part)
        self.metrics.failed(part)

    def finished(self, batch: BatchDone) -> None:
        """A batch is done."""
        self.health.stepped()
        self.metrics.finished(batch)
