"""The task queue in this process's memory: the twin of RedisQueue, for tests and for runs in one process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Condition

from credit_signals.domain import DeadLetter, SectionTask, now
from credit_signals.errors import QueueError
from credit_signals.task_queue.base import NO_TRACES, Delivery, QueueStatus
from credit_signals.task_queue.messages import SCHEMA_VERSION, MessageError, decode, encode
from credit_signals.task_queue.options import DEFAULT_OPTIONS, QueueOptions

GIVEN_BACK = float("-inf")  # idle for ever: anyone may claim it


@dataclass(slots=True)
class _Entry:
    id: str
    version: bytes | None
    payload: bytes | None
    added: float
    trace: str = ""
    owner: str = ""
    attempts: int = 0
    seen: float = 0.0  # when it was delivered or renewed last


@dataclass(slots=True)
class MemoryBroker:
    """What the consumers of one queue share."""

    changed: Condition = field(default_factory=Condition)
    waiting: deque[_Entry] = field(default_factory=deque)
    pending: dict[str, _Entry] = field(default_factory=dict)
    dead: dict[str, tuple[_Entry, DeadLetter]] = field(default_factory=dict)
    consumers: dict[str, float] = field(default_factory=dict)  # name -> seen last
    last_id: int = 0

    def append(self, payload: bytes | None, version: bytes | None = SCHEMA_VERSION, trace: str = "") -> None:
        """Add a message as it is; hold `changed` while calling."""
        self.last_id += 1
        self.waiting.append(_Entry(f"{self.last_id}-0", version, payload, time.monotonic(), trace))
        self.changed.notify_all()

    @property
    def length(self) -> int:
        """Entries that wait or are being read."""
        return len(self.waiting) + len(self.pending)


class MemoryQueue:
    """A TaskQueue without a server. Queues with the same broker are consumers of the same tasks."""

    def __init__(
        self,
        consumer: str = "consumer",
        options: QueueOptions = DEFAULT_OPTIONS,
        broker: MemoryBroker | None = None,
    ) -> None:
        self.consumer = consumer
        self.options = options
        self.broker = broker or MemoryBroker()
        self._changed = self.broker.changed

    def put(
        self, tasks: Sequence[SectionTask], timeout: float | None = None, traces: Mapping[str, str] = NO_TRACES
    ) -> None:
        """Append tasks; waits while the queue is full."""
        end = None if timeout is None else time.monotonic() + timeout
        broker, options = self.broker, self.options
        with self._changed:
            for done, (task, payload) in enumerate([(task, encode(task)) for task in tasks]):
                while broker.length >= options.max_length:
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        raise QueueError(
                            f"the queue was full ({options.max_length}) for {timeout:g} s: "
                            f"{done} of {len(tasks)} tasks were added"
                        )
                    self._changed.wait(left)
                broker.append(payload, trace=traces.get(task.id, ""))

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """Up to `count` deliveries; the last attempt of a task comes alone, so that it harms no other."""
        end = time.monotonic() + wait_seconds
        with self._changed:
            while count > 0:
                self._forget_others()
                deliveries = self._parsed(self._claim(count))
                left = end - time.monotonic()
                if deliveries or left <= 0:
                    return deliveries
                self._changed.wait(min(left, self.options.idle_seconds))
        return []

    def _claim(self, count: int) -> list[_Entry]:
        moment = time.monotonic()
        taken: list[_Entry] = []
        for entry in list(self.broker.pending.values()):
            if len(taken) == count:
                break
            if moment - entry.seen < self.options.idle_seconds:
                continue
            if entry.attempts >= self.options.max_attempts:
                self._bury(entry, f"delivered {entry.attempts} times, never finished")
            elif entry.attempts + 1 < self.options.max_attempts:
                taken.append(self._deliver(entry, moment))
            elif not taken:
                return [self._deliver(entry, moment)]
        while self.broker.waiting and len(taken) < count:
            taken.append(self._deliver(self.broker.waiting.popleft(), moment))
        return taken

    def _deliver(self, entry: _Entry, moment: float) -> _Entry:
        entry.owner, entry.seen = self.consumer, moment
        entry.attempts += 1
        self.broker.pending[entry.id] = entry
        return entry

    def _parsed(self, entries: Sequence[_Entry]) -> list[Delivery]:
        deliveries = []
        for entry in entries:
            try:
                deliveries.append(Delivery(entry.id, decode(entry.version, entry.payload), entry.attempts, entry.trace))
            except MessageError as error:
                self._bury(entry, str(error))
        return deliveries

    def _bury(self, entry: _Entry, reason: str) -> None:
        broker = self.broker
        del broker.pending[entry.id]
        task: SectionTask | None = None
        try:
            task = decode(entry.version, entry.payload)
        except MessageError as error:
            reason = str(error)
        broker.last_id += 1
        letter = DeadLetter(
            task=task, reason=reason, attempts=entry.attempts, entry_id=f"{broker.last_id}-0", failed_at=now()
        )
        broker.dead[letter.entry_id] = (entry, letter)
        while len(broker.dead) > self.options.max_dead:
            del broker.dead[next(iter(broker.dead))]
        self._changed.notify_all()

    def _held(self, delivery: Delivery) -> _Entry | None:
        entry = self.broker.pending.get(delivery.entry_id)
        return entry if entry is not None and entry.owner == self.consumer else None

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Finish deliveries."""
        with self._changed:
            for delivery in deliveries:
                self.broker.pending.pop(delivery.entry_id, None)
            self._changed.notify_all()

    def fail(self, delivery: Delivery, reason: str) -> bool:
        """Give a delivery back at once, or make it a dead letter. Nothing happens if another consumer holds it now."""
        with self._changed:
            entry = self._held(delivery)
            if entry is None:
                return False
            if delivery.attempts >= self.options.max_attempts:
                self._bury(entry, reason)
                return True
            entry.seen = GIVEN_BACK
            self._changed.notify_all()
            return False

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Hand back deliveries unread, with one delivery less."""
        with self._changed:
            for delivery in deliveries:
                entry = self._held(delivery)
                if entry is not None:
                    entry.seen, entry.attempts = GIVEN_BACK, delivery.attempts - 1
            self._changed.notify_all()

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Renew deliveries; those that another consumer holds now are left to it."""
        with self._changed:
            for delivery in deliveries:
                entry = self._held(delivery)
                if entry is not None:
                    entry.seen = time.monotonic()

    def status(self) -> QueueStatus:
        """The present counts."""
        broker = self.broker
        with self._changed:
            added = [entry.added for entry in (*broker.pending.values(), *list(broker.waiting)[:1])]
            return QueueStatus(
                length=broker.length,
                lag=len(broker.waiting),
                pending=len(broker.pending),
                dead=len(broker.dead),
                consumers=len(broker.consumers),
                oldest_seconds=time.monotonic() - min(added) if added else 0.0,
            )

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters first."""
        with self._changed:
            return [letter for _, letter in reversed(self.broker.dead.values())][: max(0, limit)]

    def retry_dead(self, entry_ids: Sequence[str] | None = None) -> int:
        """Put dead letters back, the oldest first and beyond the length limit; those that are no task stay dead."""
        wanted = None if entry_ids is None else set(entry_ids)
        with self._changed:
            letters = list(self.broker.dead.values())
            back = [(e, x) for e, x in letters if x.task and (wanted is None or x.entry_id in wanted)]
            for entry, letter in back:
                del self.broker.dead[letter.entry_id]
                self.broker.append(entry.payload, entry.version, entry.trace)
            return len(back)

    def purge_dead(self, older_than: datetime | None = None) -> int:
        """Delete dead letters, all or those that died before a moment; the number deleted."""
        limit = older_than or datetime.max.replace(tzinfo=UTC)
        with self._changed:
            old = [key for key, (_, letter) in self.broker.dead.items() if letter.failed_at < limit]
            for key in old:
                del self.broker.dead[key]
            return len(old)

    def close(self) -> None:
        """Leave the queue if nothing is pending here."""
        with self._changed:
            if not self._holds(self.consumer):
                self.broker.consumers.pop(self.consumer, None)

    def _holds(self, consumer: str) -> bool:
        return any(entry.owner == consumer for entry in self.broker.pending.values())

    def _forget_others(self) -> None:
        moment = time.monotonic()
        seen = self.broker.consumers
        seen[self.consumer] = moment
        for name in [name for name, at in seen.items() if moment - at >= self.options.forget_seconds]:
            if not self._holds(name):
                del seen[name]
