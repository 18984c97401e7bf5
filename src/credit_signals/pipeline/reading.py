"""What a worker does, and how a run is brought to its end whatever dies on the way."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TypeAlias

from credit_signals.domain import Prediction, SectionTask
from credit_signals.errors import (
    ModelRefused,
    QueueError,
    QueueUnavailable,
    ReaderError,
    ReaderUnknown,
    ReadFailed,
    StoreError,
    StoreUnavailable,
)
from credit_signals.inference.base import Reader
from credit_signals.pipeline.shelf import ReaderShelf
from credit_signals.store.base import ResultsStore, RunProgress
from credit_signals.task_queue.base import Delivery, TaskQueue

log = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkOptions:
    """How a worker works. `burst`: return when the queue is empty; `stop`: set it to finish after the batch in hand."""

    batch: int = 16
    burst: bool = False
    wait_seconds: float = 2.0
    renew_seconds: float = 20.0  # less than the queue's idle time
    patience_seconds: float = 60.0  # how long a dead queue or store is waited for
    stop: Event = field(default_factory=Event)


def work(queue: TaskQueue, readers: ReaderShelf, store: ResultsStore, options: WorkOptions) -> Counter[str]:
    """Read sections until stopped; counts of sections read, unread for a reason, and failed, and of unsure statements.

    Each task is read by the reader that it names. One that names an unknown reader fails, and is a dead letter in the
    end; a known reader that cannot be opened here raises ModelRefused, and the deliveries in hand go to other workers.
    A prediction is saved before its delivery is acknowledged. A queue or store that does not answer is waited for;
    after `patience_seconds` its error is raised and the deliveries in hand go to other workers.
    """
    counts: Counter[str] = Counter()
    trouble = 0.0
    while not options.stop.is_set():
        try:
            deliveries = queue.take(options.batch, 0.05 if options.burst else options.wait_seconds)
            if not deliveries:
                note_dead_letters(queue, store)
                if options.burst and queue.status().length == 0:
                    break
                continue
            if options.stop.is_set():
                queue.release(deliveries)
                break
            with _renewed(queue, deliveries, options.renew_seconds):
                counts.update(_read_batch(queue, readers, store, deliveries))
            trouble = 0.0
        except (QueueUnavailable, StoreError) as error:
            if trouble >= options.patience_seconds:
                raise
            pause = min(5.0, 0.5 + trouble / 4)
            log.warning("waiting %.1f s: %s", pause, error)
            options.stop.wait(pause)
            trouble += pause
    return counts


def note_dead_letters(queue: TaskQueue, store: ResultsStore) -> int:
    """Mark in the store what the queue gave up, so that a run that holds it can end; the number of dead letters."""
    letters = queue.dead_letters(1000)
    for letter in letters:
        if letter.task is not None:
            store.mark_dead(letter.task.id, letter.reason, letter.failed_at)
    return len(letters)


def _read_batch(
    queue: TaskQueue, readers: ReaderShelf, store: ResultsStore, deliveries: Sequence[Delivery]
) -> Iterator[str]:
    done: list[tuple[Delivery, Prediction]] = []
    for delivery, outcome in _read_all(queue, readers, deliveries):
        if isinstance(outcome, Prediction):
            done.append((delivery, outcome))
        elif queue.fail(delivery, str(outcome)):
            store.mark_dead(delivery.task.id, str(outcome))
            yield "dead"
        else:
            yield "failed"
    if done:
        held = [delivery for delivery, _ in done]
        try:
            store.save_predictions([prediction for _, prediction in done])
        except StoreUnavailable:
            queue.release(held)  # no section is at fault: no attempt is counted, and nobody waits for the idle time
            raise
        queue.ack(held)
    yield from ("unread" if prediction.unread_reason else "read" for _, prediction in done)
    yield from ("unsure" for _, prediction in done for _ in prediction.unsure)


Answered: TypeAlias = tuple[Delivery, Prediction | ReaderError]


def _read_all(queue: TaskQueue, readers: ReaderShelf, deliveries: Sequence[Delivery]) -> list[Answered]:
    """Read each delivery with the reader that its task names."""
    outcomes: list[Answered] = []
    for reader_id in dict.fromkeys(delivery.task.reader_id for delivery in deliveries):
        mine = [delivery for delivery in deliveries if delivery.task.reader_id == reader_id]
        try:
            outcomes += _read_each(readers.take(reader_id), mine)
        except ReaderUnknown as error:
            outcomes += [(delivery, error) for delivery in mine]
        except (ModelRefused, StoreUnavailable):
            queue.release(deliveries)  # again, no section is at fault
            raise
    return outcomes


def _read_each(reader: Reader, deliveries: Sequence[Delivery]) -> list[Answered]:
    """Read a batch at once; if that fails, one by one, so that one bad section fails alone."""
    try:
        answers = reader.read([delivery.task.section for delivery in deliveries])
    except ReadFailed as error:
        if len(deliveries) == 1:
            return [(deliveries[0], error)]
        return [pair for delivery in deliveries for pair in _read_each(reader, [delivery])]
    return list(zip(deliveries, answers, strict=True))


@contextmanager
def _renewed(queue: TaskQueue, deliveries: Sequence[Delivery], seconds: float) -> Iterator[None]:
    """Hold deliveries while they are read, however long that takes."""
    finished = Event()

    def renew() -> None:
        while not finished.wait(seconds):
            try:
                queue.extend(deliveries)
            except QueueError as error:
                log.warning("could not renew %d deliveries: %s", len(deliveries), error)

    thread = Thread(target=renew, daemon=True, name="renew")
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def sweep_unqueued(run_id: str, store: ResultsStore, queue: TaskQueue) -> int:
    """Queue the run's tasks that a crash left between plan and queue; how many they were."""
    return _put_again(store.unqueued_tasks(run_id), store, queue)


def settle(run_id: str, store: ResultsStore, queue: TaskQueue) -> RunProgress:
    """One look at a run whose crawl is over; the run is read when `unread` is 0.

    Dead letters are noted, and tasks that an emptied queue has lost are queued again: reading twice is harmless,
    not reading is not.
    """
    progress = store.progress(run_id)
    if progress.unread:
        note_dead_letters(queue, store)
        if queue.status().length == 0:
            lost = _put_again(store.unread_tasks(run_id), store, queue)
            if lost:
                log.warning("run %s: the queue was empty with %d sections unread; queued again", run_id, lost)
        progress = store.progress(run_id)
    return progress


def _put_again(tasks: Sequence[SectionTask], store: ResultsStore, queue: TaskQueue) -> int:
    if tasks:
        queue.put(tasks)
        store.mark_queued([task.id for task in tasks])
    return len(tasks)
