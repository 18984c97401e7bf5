"""The interface of a task queue: at-least-once delivery, attempts, dead letters, bounded length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from credit_signals.domain import DeadLetter, SectionTask

NO_TRACES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A task handed to one consumer; it must be acknowledged, failed, or it is delivered again after the idle time."""

    entry_id: str
    task: SectionTask
    attempts: int  # deliveries so far, this one included
    trace: str = ""  # what `put` was given for the task


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Counts of entries; `lag` is not yet delivered, `pending` delivered and not acknowledged."""

    length: int
    lag: int
    pending: int
    dead: int
    consumers: int
    oldest_seconds: float  # age of the oldest entry not acknowledged, 0 when there is none


class TaskQueue(Protocol):
    """A queue of section tasks shared by crawlers and workers."""

    def put(
        self, tasks: Sequence[SectionTask], timeout: float | None = None, traces: Mapping[str, str] = NO_TRACES
    ) -> None:
        """Append tasks in one round trip; waits while the queue is full. `traces`: by task id, a W3C traceparent each.

        Raises QueueError after `timeout` seconds of a full queue, QueueUnavailable when the broker does not answer.
        """

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """Up to `count` deliveries: first what dead consumers left, then new entries. May be empty.

        Entries that cannot be parsed, or whose attempts are spent, go to the dead letters here.
        """

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Finish deliveries for good. Call only after their predictions are saved."""

    def fail(self, delivery: Delivery, reason: str) -> bool:
        """Give a delivery back after an error. True when its attempts are spent and it became a dead letter."""

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Hand back deliveries unread (shutdown): others may take them at once; no attempt is counted."""

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Renew the hold on deliveries that take longer than the idle time, without counting an attempt."""

    def status(self) -> QueueStatus:
        """The present counts."""

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters first."""

    def retry_dead(self, entry_ids: Sequence[str] | None = None) -> int:
        """Put dead letters (all, or those named) back on the queue; the number put back."""

    def purge_dead(self, older_than: datetime | None = None) -> int:
        """Delete dead letters, all or those that died before a moment; the number deleted."""

    def close(self) -> None:
        """Close connections; pending deliveries stay pending."""
