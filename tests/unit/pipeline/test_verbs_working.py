"""A worker, when all goes well and when things break."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from pipeline_world import World, section

from credit_signals import pipeline
from credit_signals.domain import Prediction, Section, SectionTask
from credit_signals.errors import ModelRefused, QueueUnavailable, StoreError, StoreUnavailable
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.store import MemoryStore
from credit_signals.task_queue import MemoryQueue, QueueOptions
from credit_signals.task_queue.base import Delivery

GOOD = section("/a", "We filed for insolvency.")
BAD = section("/b", "This is unreadable.")
PLAIN = section("/c", "We make flour.")


@dataclass
class FailingStore(MemoryStore):
    """The store in memory whose writes of predictions fail at first."""

    failures: list[StoreError] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def save_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Fail while failures are left."""
        if self.failures:
            raise self.failures.pop()
        super().save_predictions(predictions)


class AbsentQueue(MemoryQueue):
    """The queue in memory that does not answer at first."""

    absences = 0

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """Fail while absences are left."""
        if self.absences:
            self.absences -= 1
            raise QueueUnavailable("redis does not answer")
        return super().take(count, wait_seconds)


class SlowReader(ScriptedReader):
    """A scripted reader that says when it begins, and takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__({"insolvency": "insolvency"})
        self.seconds = seconds
        self.begun = threading.Event()

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """Read slowly."""
        self.begun.set()
        time.sleep(self.seconds)
        return super().read(sections)


def test_a_worker_reads_everything_once(world: World) -> None:
    """A run is read when the worker is done, and nothing is left on the queue."""
    run = world.crawled(GOOD, PLAIN)
    assert world.work() == {"read": 2}
    assert world.store.unread(run.id) == 0
    assert world.queue.status().length == 0


def test_one_bad_section_fails_alone(world: World) -> None:
    """The batch of a section that no reader can read is read; the section becomes a dead letter and the run ends."""
    run = world.crawled(GOOD, BAD, PLAIN)
    assert world.work() == {"read": 2, "failed": 1, "dead": 1}
    progress = pipeline.settle(run.id, world.store, world.queue)
    assert (progress.read, progress.dead, progress.unread) == (2, 1, 0)
    (letter,) = world.queue.dead_letters()
    assert letter.task is not None
    assert letter.task.section == BAD
    assert "the script says so" in letter.reason
    assert world.score(run).unread_sections == {"not read": 1}


def test_text_of_an_unknown_language_is_counted_apart(world: World) -> None:
    """A language that the reader does not know is an answer, no failure."""
    run = world.crawled(section("/d", "Wir mahlen Mehl.", language="de"))
    assert world.work() == {"unread": 1}
    assert world.store.unread(run.id) == 0


def test_a_store_that_is_away_for_a_while_is_waited_for(world: World) -> None:
    """What could not be saved is read again at once, and costs the section no attempt."""
    store = world.store = FailingStore([StoreUnavailable("away"), StoreUnavailable("away")])
    run = world.crawled(GOOD)
    world.queue.options = QueueOptions(max_attempts=1, idle_seconds=60)
    assert world.work() == {"read": 1}
    assert not store.failures
    assert store.unread(run.id) == 0
    assert world.queue.status().dead == 0


def test_a_store_that_refuses_costs_an_attempt(world: World) -> None:
    """A prediction that the store will never take ends as a dead letter instead of going round for ever."""
    world.store = FailingStore([StoreError("refused")] * 2)
    run = world.crawled(GOOD)
    world.work()
    assert pipeline.settle(run.id, world.store, world.queue).dead == 1


def test_a_store_that_stays_away_ends_the_worker(world: World) -> None:
    """After its patience the worker ends with the store's error, and others can take its section."""
    world.store = FailingStore([StoreUnavailable("the disk is full")] * 5)
    world.crawled(GOOD)
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        world.work(patience_seconds=0.4)
    other = MemoryQueue("other", broker=world.queue.broker)
    assert [delivery.attempts for delivery in other.take(9, 0)] == [1]


def test_a_queue_that_is_away_for_a_while_is_waited_for(world: World) -> None:
    """A broker's restart stops no worker."""
    world.queue = AbsentQueue(options=world.queue.options)
    world.queue.absences = 1
    run = world.crawled(GOOD)
    assert world.work() == {"read": 1}
    assert world.store.unread(run.id) == 0


def test_a_worker_that_is_told_to_stop_finishes_its_batch(world: World) -> None:
    """What is in hand is read and saved; what waits is left to others, with no attempt counted."""
    world.reader = reader = SlowReader(0.1)
    run = world.crawled(GOOD, PLAIN)
    options = pipeline.WorkOptions(batch=1, wait_seconds=0.05)
    worker = threading.Thread(target=pipeline.work, args=(world.queue, world.shelf, world.store, options))
    worker.start()
    assert reader.begun.wait(5)
    options.stop.set()
    worker.join(5)
    assert not worker.is_alive()
    assert world.store.unread(run.id) == 1
    status = world.queue.status()
    assert (status.lag, status.pending) == (1, 0)


def test_a_stopped_worker_takes_nothing(world: World) -> None:
    """A worker stopped before it began leaves the queue as it was."""
    world.crawled(GOOD)
    options = pipeline.WorkOptions()
    options.stop.set()
    assert pipeline.work(world.queue, world.shelf, world.store, options) == {}
    assert world.queue.status().lag == 1


def test_slow_reading_keeps_its_hold(world: World) -> None:
    """A section that takes longer than the idle time is renewed, so that nobody else reads it."""
    world.reader = reader = SlowReader(0.5)
    world.crawled(GOOD)
    other = MemoryQueue("other", world.queue.options, world.queue.broker)
    options = pipeline.WorkOptions(burst=True, renew_seconds=0.02)
    worker = threading.Thread(target=pipeline.work, args=(world.queue, world.shelf, world.store, options))
    worker.start()
    assert reader.begun.wait(5)
    taken: list[Delivery] = []
    while worker.is_alive():
        taken += other.take(1, 0.02)
    worker.join()
    assert taken == []


def test_a_task_is_answered_by_the_reader_that_it_names(world: World) -> None:
    """Runs in flight when a reader is promoted finish with the reader they began with; the new one reads new runs."""
    old, new = world.reader, ScriptedReader({"flour": "expansion"})
    before = world.crawled(GOOD, PLAIN)
    world.reader = new
    after = world.crawled(GOOD, PLAIN)
    readers = pipeline.ReaderShelf.of(old, new)
    counts = pipeline.work(world.queue, readers, world.store, pipeline.WorkOptions(burst=True))
    assert counts == {"read": 4}
    assert (world.store.unread(before.id), world.store.unread(after.id)) == (0, 0)
    assert (world.score(before).reader_id, world.score(after).reader_id) == (old.id, new.id)
    assert (old.read_sections, new.read_sections) == (2, 2)


def test_a_task_of_an_unknown_reader_becomes_a_dead_letter(world: World) -> None:
    """Nothing else answers in its place: the run ends, and the letter says which reader is missing."""
    run = world.crawled(GOOD)
    world.reader = ScriptedReader({"flour": "expansion"})
    assert world.work() == {"failed": 1, "dead": 1}
    assert pipeline.settle(run.id, world.store, world.queue).unread == 0
    (letter,) = world.queue.dead_letters()
    assert letter.task is not None
    assert f"reader {letter.task.reader_id} is not on the shelf" in letter.reason


def test_a_reader_that_cannot_be_opened_ends_the_worker(world: World) -> None:
    """Damaged weights cost no section an attempt: the worker ends by name of the file, and others take its batch."""

    def find(reader_id: str) -> ScriptedReader:
        if reader_id == world.reader.id:
            raise ModelRefused("model.gguf: damaged")
        return other

    other = ScriptedReader({"flour": "expansion"})
    run = world.crawled(GOOD)
    world.queue.options = QueueOptions(max_attempts=1, idle_seconds=60)
    world.queue.put([SectionTask.build(PLAIN, other.id)])
    with pytest.raises(ModelRefused, match=r"model\.gguf"):
        pipeline.work(world.queue, pipeline.ReaderShelf(find), world.store, pipeline.WorkOptions(burst=True))
    assert pipeline.work(
        world.queue, pipeline.ReaderShelf.of(world.reader, other), world.store, pipeline.WorkOptions(burst=True)
    ) == {"read": 2}
    assert world.store.unread(run.id) == 0
    assert world.queue.status().dead == 0


def test_a_registry_that_is_away_for_a_while_is_waited_for(world: World) -> None:
    """A store that does not say where a reader lies costs no section an attempt."""
    failures = [StoreUnavailable("away")] * 2

    def find(_reader_id: str) -> ScriptedReader:
        if failures:
            raise failures.pop()
        return world.reader

    world.crawled(GOOD)
    world.queue.options = QueueOptions(max_attempts=1, idle_seconds=60)
    counts = pipeline.work(world.queue, pipeline.ReaderShelf(find), world.store, pipeline.WorkOptions(burst=True))
    assert counts == {"read": 1}
