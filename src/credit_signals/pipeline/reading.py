"""What a worker does, and how a run is brought to its end whatever dies on the way."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TypeAlias

from credit_signals.domain import Prediction, SectionTask
from credit_signals.errors import (
    ModelRefused,
    QueueUnavailable,
    ReaderError,
    ReaderUnknown,
    ReadFailed,
    StoreError,
    StoreUnavailable,
)
from credit_signals.inference.base import Reader
from credit_signals.pipeline.holding import Hand
from credit_signals.pipeline.observing import BatchDone, NoObserver, NoTraces, Part, Traces, WorkObserver
from credit_signals.pipeline.patience import Patience
from credit_signals.pipeline.shelf import ReaderShelf
from credit_signals.store.base import ResultsStore, RunProgress
from credit_signals.task_queue.base import Delivery, TaskQueue

log = logging.getLogger(__name__)

_Answered: TypeAlias = tuple[Delivery, Prediction | ReaderError]


@dataclass(slots=True)
class WorkOptions:
    """How a worker works, and who hears of it.

    `burst`: return when the queue is empty; `stop`: set it to finish after the batch in hand; `hand`: gives that batch
    back.
    """

    batch: int = 16
    burst: bool = False
    wait_seconds: float = 2.0
    renew_seconds: float = 20.0  # less than the queue's idle time
    patience_seconds: float = 60.0  # how long a dead queue or store is waited for
    stop: Event = field(default_factory=Event)
    hand: Hand = field(default_factory=Hand)
    observer: WorkObserver = field(default_factory=NoObserver)
    traces: Traces = field(default_factory=NoTraces)


def work(queue: TaskQueue, readers: ReaderShelf, store: ResultsStore, options: WorkOptions) -> Counter[str]:
    """Read sections until stopped; counts of sections read, unread for a reason, failed, dead and known already.

    `unsure` counts statements. Each task is read by the reader that it names, unless its answer is stored already. One
    that names an unknown reader fails, and is a dead letter in the end; a known reader that cannot be opened here
    raises ModelRefused, and the deliveries in hand go to other workers. A prediction is saved before its delivery is
    acknowledged. A queue or store that does not answer is waited for; after `patience_seconds` its error is raised and
    the deliveries in hand go to other workers.
    """
    worker = _Worker(queue, readers, store, options, _Noted())
    counts: Counter[str] = Counter()
    patience = Patience(options.patience_seconds, options.stop)
    while not options.stop.is_set():
        options.observer.stepped()
        try:
            done = worker.step()
        except (QueueUnavailable, StoreError) as error:
            options.observer.failed(Part.STORE if isinstance(error, StoreError) else Part.QUEUE)
            if not patience.wait(error):
                raise
        else:
            if done is None:
                break
            patience.renew()
            counts.update(done)
    return counts


@dataclass(frozen=True, slots=True)
class _Worker:
    """One worker's loop, step by step."""

    queue: TaskQueue
    readers: ReaderShelf
    store: ResultsStore
    options: WorkOptions
    noted: _Noted

    def step(self) -> Counter[str] | None:
        """Take a batch and read it; None when a burst is over, or when the worker was stopped meanwhile."""
        options, queue = self.options, self.queue
        deliveries = queue.take(options.batch, 0.05 if options.burst else options.wait_seconds)
        options.observer.answered(Part.QUEUE)
        if not deliveries:
            self.noted.note(queue, self.store)
            options.observer.idled()
            over = options.burst and queue.status().length == 0
            return None if over else Counter()
        if options.stop.is_set():
            queue.release(deliveries)
            return None
        held = options.hand.holding(queue, deliveries, options.renew_seconds)
        with held, options.traces.receiving(deliveries):
            return self._read_batch(deliveries)

    def _read_batch(self, deliveries: Sequence[Delivery]) -> Counter[str]:
        begun, counts, tokens = time.monotonic(), Counter[str](), _Tokens()
        new = self._settle_known(deliveries, counts)
        done: list[tuple[Delivery, Prediction]] = []
        bad: list[tuple[Delivery, ReaderError]] = []
        for delivery, outcome in self._read_all(new, deliveries, tokens):
            if isinstance(outcome, Prediction):
                done.append((delivery, outcome))
            else:
                bad.append((delivery, outcome))
        self._save(done)  # first: a queue that does not take a failure must not cost what was read
        counts.update(self._fail(delivery, error) for delivery, error in bad)
        counts.update("unread" if prediction.unread_reason else "read" for _, prediction in done)
        counts.update("unsure" for _, prediction in done for _ in prediction.unsure)
        seconds = time.monotonic() - begun
        self.options.observer.finished(BatchDone(len(deliveries), seconds, tokens.count, counts))
        return counts

    def _settle_known(self, deliveries: Sequence[Delivery], counts: Counter[str]) -> list[Delivery]:
        """Acknowledge what is answered already; the others.

        A worker that died between saving and acknowledging leaves such deliveries, and so do companies that share a
        text and are crawled at the same time.
        """
        try:
            known = self.store.answered([delivery.task.id for delivery in deliveries])
        except StoreUnavailable:
            self.queue.release(deliveries)  # no section is at fault: no attempt is counted, and nobody waits
            raise
        self.options.observer.answered(Part.STORE)
        settled = [delivery for delivery in deliveries if delivery.task.id in known]
        if settled:
            self.queue.ack(settled)
            counts["known"] += len(settled)
        return [delivery for delivery in deliveries if delivery.task.id not in known]

    def _fail(self, delivery: Delivery, error: ReaderError) -> str:
        task = delivery.task
        names = {"section": task.section.id, "company": task.section.company_id, "task": task.id}
        log.warning("section %s: attempt %d failed: %s", task.section.id, delivery.attempts, error, extra=names)
        self.options.observer.failed(Part.READER)
        if not self.queue.fail(delivery, str(error)):
            return "failed"
        self.store.mark_dead(task.id, str(error))
        return "dead"

    def _save(self, done: Sequence[tuple[Delivery, Prediction]]) -> None:
        if not done:
            return
        held = [delivery for delivery, _ in done]
        ids = _section_ids(held)
        try:
            with self.options.traces.step("store.save", ids):
                self.store.save_predictions([prediction for _, prediction in done])
        except StoreUnavailable:
            self.queue.release(held)  # again, no section is at fault
            raise
        with self.options.traces.step("queue.ack", ids):
            self.queue.ack(held)

    def _read_all(self, deliveries: Sequence[Delivery], held: Sequence[Delivery], tokens: _Tokens) -> list[_Answered]:
        """Read each delivery with the reader that its task names."""
        outcomes: list[_Answered] = []
        for reader_id in dict.fromkeys(delivery.task.reader_id for delivery in deliveries):
            mine = [delivery for delivery in deliveries if delivery.task.reader_id == reader_id]
            try:
                reader = self.readers.take(reader_id)
            except ReaderUnknown as error:
                outcomes += [(delivery, error) for delivery in mine]
            except (ModelRefused, StoreUnavailable) as error:
                if isinstance(error, ModelRefused):
                    self.options.observer.failed(Part.READER)
                self.queue.release(held)  # again, no section is at fault
                raise
            else:
                with self.options.traces.step("reader.read", _section_ids(mine)), tokens.counted(reader):
                    outcomes += _read_each(reader, mine)
        return outcomes


@dataclass(slots=True)
class _Noted:
    """The newest dead letter that this worker has noted.

    An idle worker looks every two seconds, and a thousand of them may be idle: a letter is worth one note of each.
    """

    newest: str = ""

    def note(self, queue: TaskQueue, store: ResultsStore) -> None:
        """Note the dead letters, unless the newest is known already."""
        for letter in queue.dead_letters(1):
            if letter.entry_id != self.newest:
                note_dead_letters(queue, store)
                self.newest = letter.entry_id  # as seen before the others: a later one is seen at the next look


@dataclass(slots=True)
class _Tokens:
    """Tokens that readers computed for one batch."""

    count: int = 0

    @contextmanager
    def counted(self, reader: Reader) -> Iterator[None]:
        """Count what a reader computes in a block."""
        before = reader.tokens
        yield
        self.count += reader.tokens - before


def _section_ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.task.section.id for delivery in deliveries]


def note_dead_letters(queue: TaskQueue, store: ResultsStore) -> int:
    """Mark in the store what the queue gave up, so that a run that holds it can end; the number of dead letters."""
    letters = queue.dead_letters(1000)
    for letter in letters:
        if letter.task is not None:
            store.mark_dead(letter.task.id, letter.reason, letter.failed_at)
    return len(letters)


def _read_each(reader: Reader, deliveries: Sequence[Delivery]) -> list[_Answered]:
    """Read a batch at once; if that fails, one by one, so that one bad section fails alone."""
    try:
        answers = reader.read([delivery.task.section for delivery in deliveries])
    except ReadFailed as error:
        if len(deliveries) == 1:
            return [(deliveries[0], error)]
        return [pair for delivery in deliveries for pair in _read_each(reader, [delivery])]
    return list(zip(deliveries, answers, strict=True))


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
                log.warning(
                    "run %s: the queue was empty with %d sections unread; queued again",
                    run_id,
                    lost,
                    extra={"run": run_id},
                )
        progress = store.progress(run_id)
    return progress


def _put_again(tasks: Sequence[SectionTask], store: ResultsStore, queue: TaskQueue) -> int:
    if tasks:
        queue.put(tasks)
        store.mark_queued([task.id for task in tasks])
    return len(tasks)
