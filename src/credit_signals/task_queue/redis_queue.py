"""The task queue on Redis Streams, 6.2 and later."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, TypeVar

from redis.exceptions import ResponseError

from credit_signals.domain import DeadLetter, SectionTask
from credit_signals.errors import QueueError
from credit_signals.task_queue import keys, scripts
from credit_signals.task_queue.base import NO_TRACES, Delivery, QueueStatus
from credit_signals.task_queue.connection import Address, broker_errors, open_client, retrying
from credit_signals.task_queue.messages import SCHEMA_VERSION, MessageError, decode, encode
from credit_signals.task_queue.options import DEFAULT_OPTIONS, QueueOptions

log = logging.getLogger(__name__)

T = TypeVar("T")

CHUNK_TASKS, CHUNK_BYTES = 500, 4_000_000  # of one PUT: a script holds up every other client while it runs
REASON_CHARACTERS = 500
LISTEN_SECONDS = 0.5  # how long one blocking read waits: what others give back is seen between two
FULL_PAUSE, FULL_PAUSE_MOST = 0.02, 0.5
JOIN_EVERY = WARN_EVERY = 60.0


def consumer_name() -> str:
    """A name that no other consumer has: host, process and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"


class RedisQueue:
    """A TaskQueue at a redis://, rediss:// or unix:// URL. Safe to share between threads.

    Nothing connects before the first call. Every method raises QueueUnavailable when Redis did not answer for
    `options.retries` retries, also while `take` waits: the caller may call again, nothing is lost. A call that is
    repeated after a lost answer may add a task twice, which the store makes harmless. Wrong credentials and broken
    data raise QueueError.
    """

    def __init__(
        self,
        url: str,
        kind: str = "section_reader",
        consumer: str = "",
        options: QueueOptions = DEFAULT_OPTIONS,
    ) -> None:
        self.consumer = consumer or consumer_name()
        self.options = options
        self._keys = keys.QueueKeys(kind)
        self._address = Address.of(url)
        self._client = open_client(url, options)
        self._both = [self._keys.tasks, self._keys.dead]
        self._cursor: bytes = b"0-0"
        self._join_at = 0.0
        self._joined = False
        self._scripts = {text: self._client.register_script(text) for text in scripts.ALL}

    # --- producers

    def put(
        self, tasks: Sequence[SectionTask], timeout: float | None = None, traces: Mapping[str, str] = NO_TRACES
    ) -> None:
        """Append tasks, some hundred per round trip; waits while the queue is full."""
        end = None if timeout is None else time.monotonic() + timeout
        added = 0
        for chunk in _chunks([(encode(task), traces.get(task.id, "").encode()) for task in tasks]):
            while chunk:
                flat = [part for pair in chunk for part in pair]
                fitted = self._run(scripts.PUT, [self._keys.tasks], self.options.max_length, SCHEMA_VERSION, *flat)
                added += fitted
                del chunk[:fitted]
                if chunk and not self._wait_for_room(end):
                    raise QueueError(
                        f"the queue {self._keys.tasks} was full ({self.options.max_length}) for {timeout:g} s: "
                        f"{added} of {len(tasks)} tasks were added"
                    )

    def _wait_for_room(self, end: float | None) -> bool:
        """Whether there is room before a moment of the monotonic clock (None: wait for ever)."""
        pause, warn_at = FULL_PAUSE, time.monotonic() + WARN_EVERY
        while self._answer(lambda: self._client.xlen(self._keys.tasks)) >= self.options.max_length:
            moment = time.monotonic()
            if end is not None and moment >= end:
                return False
            if moment >= warn_at:
                log.warning("queue %s is full (%d); waiting for readers", self._keys.tasks, self.options.max_length)
                warn_at = moment + WARN_EVERY
            time.sleep(pause if end is None else min(pause, end - moment))
            pause = min(FULL_PAUSE_MOST, pause * 1.5)
        return True

    # --- consumers

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """Up to `count` deliveries; the last attempt of a task comes alone, so that it harms no other."""
        if count < 1:
            return []
        end = time.monotonic() + wait_seconds
        self._join()
        while True:
            deliveries = self._parsed(self._claim(count))
            left = end - time.monotonic()
            if deliveries or left <= 0:
                return deliveries
            deliveries = self._parsed(self._listen(count, min(left, LISTEN_SECONDS)))
            if deliveries:
                return deliveries

    def _claim(self, count: int) -> list[tuple[bytes, int, dict[bytes, bytes]]]:
        options = self.options
        self._cursor, taken, buried = self._run(
            scripts.TAKE,
            self._both,
            keys.GROUP,
            self.consumer,
            count,
            options.idle_ms,
            options.max_attempts,
            options.max_dead,
            self._cursor,
        )
        if buried:
            log.warning("queue %s: %d tasks became dead letters: their attempts are spent", self._keys.tasks, buried)
        return [(entry, attempts, dict(zip(flat[::2], flat[1::2], strict=True))) for entry, attempts, flat in taken]

    def _listen(self, count: int, seconds: float) -> list[tuple[bytes, int, dict[bytes, bytes]]]:
        """Wait for new entries."""

        def read() -> Any:
            return self._client.xreadgroup(
                keys.GROUP, self.consumer, {self._keys.tasks: ">"}, count=count, block=max(1, int(seconds * 1000))
            )

        answer = self._grouped(read)
        return [(entry, 1, fields) for entry, fields in answer[0][1]] if answer else []

    def _parsed(self, entries: Sequence[tuple[bytes, int, dict[bytes, bytes]]]) -> list[Delivery]:
        deliveries, refused = [], []
        for entry, attempts, fields in entries:
            try:
                task = decode(fields.get(keys.FIELD_VERSION), fields.get(keys.FIELD_TASK))
            except MessageError as error:
                log.warning("queue %s: message %s is refused: %s", self._keys.tasks, entry.decode(), error)
                refused += [entry, attempts, str(error)]
            else:
                trace = fields.get(keys.FIELD_TRACE, b"").decode("ascii", "replace")
                deliveries.append(Delivery(entry.decode(), task, attempts, trace))
        if refused:
            self._run(scripts.BURY, self._both, keys.GROUP, self.consumer, self.options.max_dead, *refused)
        return deliveries

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Finish deliveries: their entries are deleted, so that the length of the stream is the backlog."""
        if deliveries:
            entries = [delivery.entry_id for delivery in deliveries]
            self._run(scripts.FINISH, [self._keys.tasks], keys.GROUP, *entries)

    def fail(self, delivery: Delivery, reason: str) -> bool:
        """Give a delivery back at once, or make it a dead letter. Nothing happens if another consumer holds it now."""
        if delivery.attempts < self.options.max_attempts:
            self._hold([delivery], self.options.idle_ms)
            return False
        letter = (delivery.entry_id, delivery.attempts, reason[:REASON_CHARACTERS].encode("utf-8", "replace"))
        max_dead = self.options.max_dead
        return bool(self._run(scripts.BURY, self._both, keys.GROUP, self.consumer, max_dead, *letter))

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Hand back deliveries unread: set idle for the claim time, with one delivery less."""
        self._hold(deliveries, self.options.idle_ms, uncounted=True)

    def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Set deliveries' idle time to 0; those that another consumer holds now are left to it."""
        self._hold(deliveries, 0)

    def _hold(self, deliveries: Sequence[Delivery], idle_ms: int, uncounted: bool = False) -> None:
        if deliveries:
            pairs = [(d.entry_id, d.attempts - 1 if uncounted else -1) for d in deliveries]
            flat = [part for pair in pairs for part in pair]
            self._run(scripts.HOLD, [self._keys.tasks], keys.GROUP, self.consumer, idle_ms, *flat)

    # --- operators

    def status(self) -> QueueStatus:
        """The present counts, all of one moment."""
        length, pending, dead, consumers, age_ms = self._run(scripts.STATUS, self._both, keys.GROUP)
        return QueueStatus(length, max(0, length - pending), pending, dead, consumers, max(0.0, age_ms / 1000))

    def dead_letters(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters first."""
        if limit < 1:
            return []
        entries: Any = self._answer(lambda: self._client.xrevrange(self._keys.dead, count=limit))
        return [_letter(entry, fields) for entry, fields in entries]

    def retry_dead(self, entry_ids: Sequence[str] | None = None) -> int:
        """Put dead letters back, the oldest first and beyond the length limit; those that are no task stay dead."""
        wanted = None if entry_ids is None else set(entry_ids)
        letters = reversed(self.dead_letters(self.options.max_dead))
        readable = [x.entry_id for x in letters if x.task is not None and (wanted is None or x.entry_id in wanted)]
        return sum(self._run(scripts.RETRY, self._both, *part) for part in _chunks(readable))

    def purge_dead(self, older_than: datetime | None = None) -> int:
        """Delete dead letters, all or those that died before a moment; the number deleted."""
        bound = {"maxlen": 0} if older_than is None else {"minid": str(int(older_than.timestamp() * 1000))}
        deleted: Any = self._answer(lambda: self._client.xtrim(self._keys.dead, approximate=False, **bound))
        return int(deleted)

    def close(self) -> None:
        """Leave the group if nothing is pending here, and close connections."""
        try:
            if self._joined:
                self._run(scripts.LEAVE, [self._keys.tasks], keys.GROUP, self.consumer)
        except QueueError as error:
            log.info("consumer %s could not leave: %s", self.consumer, error)
        finally:
            self._client.close()

    # --- calls

    def _run(self, script: str, names: list[str], *args: Any) -> Any:
        return self._grouped(lambda: self._scripts[script](names, args))

    def _grouped(self, call: Callable[[], T]) -> T:
        """Make a call; where Redis has lost the group (new, flushed, restored from nothing), create it and repeat."""

        def with_group() -> T:
            try:
                return call()
            except ResponseError as error:
                if not any(sign in str(error) for sign in ("NOGROUP", "no such key")):
                    raise
                self._create_group()
                return call()

        return self._answer(with_group)

    def _answer(self, call: Callable[[], T]) -> T:
        with broker_errors(self._address):
            return retrying(call, self.options.retries)

    def _create_group(self) -> None:
        try:
            self._client.xgroup_create(self._keys.tasks, keys.GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another consumer was first
                raise

    def _join(self) -> None:
        """From time to time: be known as a consumer, and remove those long gone."""
        if time.monotonic() >= self._join_at:
            idle_ms = int(self.options.forget_seconds * 1000)
            self._run(scripts.JOIN, [self._keys.tasks], keys.GROUP, self.consumer, idle_ms)
            self._joined, self._join_at = True, time.monotonic() + JOIN_EVERY


def _chunks(parts: Sequence[T]) -> Iterator[list[T]]:
    """Cut into lists of bounded count and size."""
    chunk: list[T] = []
    size = 0
    for part in parts:
        length = sum(map(len, part)) if isinstance(part, tuple) else 0
        if chunk and (len(chunk) >= CHUNK_TASKS or size + length > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(part)
        size += length
    if chunk:
        yield chunk


def _letter(entry: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    task: SectionTask | None = None
    try:
        task = decode(fields.get(keys.FIELD_VERSION), fields.get(keys.FIELD_TASK))
    except MessageError as error:
        log.debug("dead letter %s holds no task: %s", entry.decode(), error)
    milliseconds = int(entry.split(b"-")[0])
    return DeadLetter(
        task=task,
        reason=fields.get(keys.FIELD_REASON, b"").decode("utf-8", "replace"),
        attempts=int(fields.get(keys.FIELD_ATTEMPTS, b"0")),
        entry_id=entry.decode(),
        failed_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
    )
