"""What a worker tells of its work, what it need not read, and how its batch is taken out of its hand."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from pipeline_world import World, section

from credit_signals import pipeline
from credit_signals.domain import Prediction, Section, SectionTask
from credit_signals.errors import QueueUnavailable, StoreUnavailable
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.pipeline import BatchDone, Part
from credit_signals.store import MemoryStore
from credit_signals.task_queue import MemoryQueue
from credit_signals.task_queue.base import Delivery

GOOD = section("/a", "We filed for insolvency.")
BAD = section("/b", "This is unreadable.")
PLAIN = section("/c", "We make flour.")


@dataclass
class Listener(pipeline.NoObserver):
    """Remembers what it hears."""

    heard: Counter[str] = field(default_factory=Counter)
    batches: list[BatchDone] = field(default_factory=list)

    def stepped(self) -> None:
        """The loop goes on."""
        self.heard["step"] += 1

    def idled(self) -> None:
        """Nothing waits."""
        self.heard["idle"] += 1

    def failed(self, part: Part) -> None:
        """A part failed."""
        self.heard[part] += 1

    def finished(self, batch: BatchDone) -> None:
        """A batch is done."""
        self.batches.append(batch)


@dataclass
class StopAfterOne(pipeline.NoObserver):
    """Stops the worker after its first batch."""

    stop: threading.Event

    def finished(self, batch: BatchDone) -> None:
        """A batch is done."""
        self.stop.set()


class ForgetfulQueue(MemoryQueue):
    """A worker's end between saving and acknowledging."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Nothing arrives."""


class AwayAtFirst(MemoryQueue):
    """A queue that does not answer the first call."""

    calls = 0

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """Fail once."""
        self.calls += 1
        if self.calls == 1:
            raise QueueUnavailable("redis does not answer")
        return super().take(count, wait_seconds)


class SilentStore(MemoryStore):
    """A store that does not answer the first question about known answers."""

    asked = 0

    def answered(self, task_ids: Sequence[str]) -> set[str]:
        """Fail once."""
        self.asked += 1
        if self.asked == 1:
            raise StoreUnavailable("away")
        return super().answered(task_ids)


class DeafToFailures(MemoryQueue):
    """A queue that is away when the first failure is told."""

    told = 0

    def fail(self, delivery: Delivery, reason: str) -> bool:
        """Fail once."""
        self.told += 1
        if self.told == 1:
            raise QueueUnavailable("redis does not answer")
        return super().fail(delivery, reason)


class CountingStore(MemoryStore):
    """A store that counts what is noted as dead, and does not answer the first time."""

    notes = 0

    def mark_dead(self, task_id: str, reason: str, failed_at: datetime | None = None) -> None:
        """Count, and fail once."""
        self.notes += 1
        if self.notes == 1:
            raise StoreUnavailable("away")
        super().mark_dead(task_id, reason, failed_at)


@dataclass
class StopAfterIdling(pipeline.NoObserver):
    """Stops the worker when it has found the queue empty some times."""

    stop: threading.Event
    times: int

    def idled(self) -> None:
        """Nothing waits."""
        self.times -= 1
        if not self.times:
            self.stop.set()


class HeldReader(ScriptedReader):
    """A reader that goes on when it is let."""

    def __init__(self) -> None:
        super().__init__({"insolvency": "insolvency"})
        self.begun, self.may_end = threading.Event(), threading.Event()

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """Read once it may."""
        self.begun.set()
        assert self.may_end.wait(10)
        return super().read(sections)


def observed(world: World, listener: Listener) -> Counter[str]:
    """Work to the end of the queue, with a listener; the counts."""
    options = pipeline.WorkOptions(burst=True, observer=listener)
    return pipeline.work(world.queue, world.shelf, world.store, options)


def test_a_batch_is_told_with_its_outcomes_and_tokens(world: World) -> None:
    """Metrics come from what the loop says of each batch."""
    listener = Listener()
    world.crawled(GOOD, BAD, PLAIN)
    assert observed(world, listener) == {"read": 2, "failed": 1, "dead": 1}
    first, second = listener.batches
    assert dict(first.counts) == {"read": 2, "failed": 1}
    assert (first.sections, first.tokens) == (3, 4 + 4 + 3)  # GOOD once more, when each is read alone
    assert (second.sections, second.tokens, dict(second.counts)) == (1, 0, {"dead": 1})
    assert listener.heard["step"] >= 3
    assert listener.heard["idle"] == 1
    assert listener.heard[Part.READER] == 2


def test_an_answer_that_was_saved_is_not_read_again(world: World) -> None:
    """A worker that died before acknowledging costs an acknowledgement, not a reading."""
    run = world.crawled(GOOD, PLAIN)
    options = pipeline.WorkOptions()
    options.observer = StopAfterOne(options.stop)
    dying = ForgetfulQueue("dying", world.queue.options, world.queue.broker)
    pipeline.work(dying, world.shelf, world.store, options)
    assert (world.store.unread(run.id), world.queue.status().pending) == (0, 2)
    listener = Listener()
    assert observed(world, listener) == {"known": 2}
    assert world.queue.status().length == 0
    assert world.reader.read_sections == 2
    assert sum(batch.counts["known"] for batch in listener.batches) == 2


def test_a_reread_is_read_although_it_is_known(world: World) -> None:
    """A run that asks for new answers gets them."""
    world.crawled(GOOD)
    assert world.work() == {"read": 1}
    world.crawled(GOOD, reread=True)
    assert world.work() == {"read": 1}
    world.queue.put([SectionTask.build(GOOD, world.reader.id)])
    assert world.work() == {"known": 1}


def test_what_does_not_answer_is_named(world: World) -> None:
    """Queue and store are told apart, and a store that cannot say what is known costs no attempt."""
    world.queue = AwayAtFirst(options=world.queue.options)
    world.store = SilentStore()
    world.crawled(GOOD)
    listener = Listener()
    assert observed(world, listener) == {"read": 1}
    assert (listener.heard[Part.QUEUE], listener.heard[Part.STORE]) == (1, 1)
    assert world.queue.status().dead == 0


def test_a_failure_that_cannot_be_told_costs_no_answer(world: World) -> None:
    """What was read is saved before the queue hears of failures: nothing is read again because of them."""
    world.queue = DeafToFailures(options=world.queue.options)
    run = world.crawled(GOOD, BAD)
    assert world.work() == {"dead": 1}
    assert world.store.progress(run.id).read == 1


def test_a_dead_letter_is_noted_once_by_an_idle_worker(world: World) -> None:
    """Idle workers ask little of the store, and a note that it did not take is made again."""
    store = world.store = CountingStore()
    run = world.crawled(BAD)
    world.work()
    assert store.progress(run.id).dead == 1
    store.notes = 1
    options = pipeline.WorkOptions(wait_seconds=0)
    options.observer = StopAfterIdling(options.stop, 5)
    pipeline.work(world.queue, world.shelf, store, options)
    assert store.notes == 2


def test_a_batch_is_given_back_from_another_thread(world: World) -> None:
    """What is given back others can take at once, it is not renewed after, and no attempt is counted."""
    world.reader = reader = HeldReader()
    world.crawled(GOOD, PLAIN)
    options = pipeline.WorkOptions(burst=True, renew_seconds=0.01)
    worker = threading.Thread(target=pipeline.work, args=(world.queue, world.shelf, world.store, options))
    worker.start()
    try:
        assert reader.begun.wait(10)
        other = MemoryQueue("other", world.queue.options, world.queue.broker)
        assert other.take(2, 0) == []
        options.stop.set()
        assert options.hand.give_back() == 2
        assert options.hand.give_back() == 0
        assert [delivery.attempts for delivery in other.take(2, 0)] == [1, 1]
    finally:
        reader.may_end.set()
        worker.join(10)
    assert not worker.is_alive()


def test_an_empty_hand_gives_nothing_back() -> None:
    """A worker that holds nothing has nothing to hand back."""
    assert pipeline.Hand().give_back() == 0


def test_a_failure_is_logged_with_its_ids(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads the log finds section, company and task, and never the text."""
    world.crawled(BAD)
    world.work()
    record = next(each for each in caplog.records if "attempt 1 failed" in each.message)
    assert (record.__dict__["section"], record.__dict__["company"]) == (BAD.id, BAD.company_id)
    assert BAD.text not in caplog.text
