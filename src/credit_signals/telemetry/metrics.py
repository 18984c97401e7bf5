"""The metrics of a worker, in Prometheus' words: base units, and no company or domain in a label."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from credit_signals.pipeline import BatchDone, Part
from credit_signals.task_queue.base import QueueStatus

OUTCOMES = ("read", "unread", "failed", "dead")
SECTION_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)
SECOND_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

_QUEUE: dict[str, tuple[str, Callable[[QueueStatus], float]]] = {
    "queue_backlog_sections": ("Sections on the queue, waiting or in work", lambda status: status.length),
    "queue_lag_sections": ("Sections on the queue that no worker has taken yet", lambda status: status.lag),
    "queue_pending_sections": ("Sections that workers have taken and not finished", lambda status: status.pending),
    "queue_oldest_seconds": ("Age of the oldest section on the queue", lambda status: status.oldest_seconds),
    "dead_letters": ("Sections that failed for good and wait for a person", lambda status: status.dead),
}


class QueueGauges(Collector):
    """The queue as it was seen last; nothing at all when that was long ago, for a stale figure misleads."""

    def __init__(self, fresh_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh_seconds = fresh_seconds
        self._clock = clock
        self._seen: tuple[float, QueueStatus] | None = None

    def saw(self, status: QueueStatus | None) -> None:
        """The queue's answer; None: it gave none."""
        self._seen = None if status is None else (self._clock(), status)

    def collect(self) -> Iterator[Metric]:
        """The gauges, while they are fresh."""
        seen = self._seen
        if seen is not None and self._clock() - seen[0] <= self._fresh_seconds:
            for name, (text, value) in _QUEUE.items():
                yield GaugeMetricFamily(f"credit_signals_{name}", text, value=value(seen[1]))

    def describe(self) -> Iterator[Metric]:
        """The gauges without values."""
        for name, (text, _) in _QUEUE.items():
            yield GaugeMetricFamily(f"credit_signals_{name}", text)


class WorkerMetrics:
    """All metrics of one worker, in a registry of its own."""

    def __init__(self, is_ready: Callable[[], bool], queue: QueueGauges) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there; one more series for each counter, which nobody asks for
        self.registry = CollectorRegistry()
        self._sections = self._counter("sections", "Sections by what became of them", "outcome")
        self._unsure = self._counter("statements_unsure", "Statements that readers could neither affirm nor rule out")
        self._tokens = self._counter("tokens", "Tokens that the models computed")
        self._known = self._counter("section_cache_hits", "Sections whose answer was stored already: not read again")
        self._errors = self._counter("errors", "Calls that queue, store or reader did not answer", "kind")
        self._batch_sections = Histogram(
            "credit_signals_batch_sections", "Sections in a batch", buckets=SECTION_BUCKETS, registry=self.registry
        )
        self._batch_seconds = Histogram(
            "credit_signals_batch_seconds",
            "Time from a batch in hand to its acknowledgement",
            buckets=SECOND_BUCKETS,
            registry=self.registry,
        )
        self._load = self._gauge("model_load_seconds", "Time to verify and load the reader opened last")
        self._progress = self._gauge(
            "last_progress_timestamp_seconds", "Unix time at which a batch was finished, or the queue found empty, last"
        )
        self._gauge("worker_ready", "Whether /readyz says yes (0 or 1)").set_function(lambda: float(is_ready()))
        for outcome in OUTCOMES:  # a counter that starts at 0 shows its first step as a step
            self._sections.labels(outcome)
        for part in Part:
            self._errors.labels(part)
        self._queue = queue
        self.registry.register(queue)
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"credit_signals_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"credit_signals_{name}", text, registry=self.registry)

    def families(self) -> list[Metric]:
        """The product's own metrics with their labels, whether they have values or not."""
        process = ("process_", "python_")
        queue = [metric.name for metric in self._queue.describe()]
        others = [m for m in self.registry.collect() if not m.name.startswith(process) and m.name not in queue]
        return [*others, *self._queue.describe()]

    def opened(self, seconds: float) -> None:
        """A reader was verified and loaded."""
        self._load.set(seconds)

    def failed(self, part: Part) -> None:
        """A part did not answer."""
        self._errors.labels(part).inc()

    def progressed(self) -> None:
        """Work went on, or there was none."""
        self._progress.set_to_current_time()

    def finished(self, batch: BatchDone) -> None:
        """A batch is done."""
        self._batch_sections.observe(batch.sections)
        self._batch_seconds.observe(batch.seconds)
        self._tokens.inc(batch.tokens)
        self._unsure.inc(batch.counts.get("unsure", 0))
        self._known.inc(batch.counts.get("known", 0))
        for outcome in OUTCOMES:
            self._sections.labels(outcome).inc(batch.counts.get(outcome, 0))
        self.progressed()
