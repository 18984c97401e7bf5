"""The simulated worker and the product's own one do the same with the same arrivals, in a time of their own.

The product's worker loop runs on a real Redis with a scripted reader whose clock goes on by what a batch would take;
sections are put when that clock reaches their moment. No time is measured, so nothing here depends on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from credit_signals.domain import PageRole, Prediction, Section, SectionTask, Sentence
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.pipeline import ReaderShelf, WorkOptions, work
from credit_signals.planning.simulation import Arrival, PodModel, Scenario, simulate
from credit_signals.store import MemoryStore
from credit_signals.task_queue import EmbeddedRedis, QueueOptions, RedisQueue
from credit_signals.task_queue.base import Delivery

Due: TypeAlias = tuple[float, list[SectionTask]]

MODEL = PodModel(section_seconds=0.11, batch_seconds=0.4, batch=16)


class ClockedReader(ScriptedReader):
    """A reader for which a batch takes the model's time on a clock of its own; it notes when each section was read."""

    def __init__(self) -> None:
        super().__init__({"closes": "site_closure"})
        self.clock = 0.0
        self.answered: dict[str, float] = {}

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """Read at once; the clock goes on."""
        self.clock += MODEL.batch_seconds + MODEL.section_seconds * len(sections)
        self.answered |= dict.fromkeys((section.id for section in sections), self.clock)
        return super().read(sections)


class TimedQueue(RedisQueue):
    """A real queue on which a plan's sections appear as the reader's clock reaches them."""

    def follow(
        self, reader: ClockedReader, arrivals: list[tuple[float, list[SectionTask]]], options: WorkOptions
    ) -> None:
        """Whose clock, which arrivals, and whom to stop at their end."""
        self._reader, self._arrivals, self._work = reader, arrivals, options

    def take(self, count: int, wait_seconds: float) -> list[Delivery]:
        """What is there by the clock; an idle worker's clock jumps to the next arrival."""
        self._put_what_is_due()
        deliveries = super().take(count, 0)
        if not deliveries and self._arrivals:
            self._reader.clock = self._arrivals[0][0]
            self._put_what_is_due()
            deliveries = super().take(count, 0)
        if not deliveries:
            self._work.stop.set()
        return deliveries

    def _put_what_is_due(self) -> None:
        while self._arrivals and self._arrivals[0][0] <= self._reader.clock:
            self.put(self._arrivals.pop(0)[1])


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[TimedQueue]:
    """An empty queue on a Redis of its own."""
    with EmbeddedRedis(tmp_path / "redis") as redis:
        made = TimedQueue(redis.url, options=QueueOptions(idle_seconds=600))
        yield made
        made.close()


def section(number: int) -> Section:
    """A section that no other equals."""
    text = f"Hall {number} closes."
    return Section.build(
        company_id="one",
        url=f"http://one.example/{number}",
        role=PageRole.NEWS,
        text=text,
        sentences=(Sentence(number=1, start=0, end=len(text)),),
        language="en",
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_simulated_worker_answers_when_the_real_one_does(queue: TimedQueue, seed: int) -> None:
    """For random arrivals and a burst, each section is answered at the simulated moment, in the simulated batch."""
    chance = Random(seed)
    times = sorted(round(chance.uniform(0, 60), 3) for _ in range(25))
    counts = [chance.randint(1, 30) for _ in times]
    times, counts = [*times, 61.0], [*counts, 120]
    numbers = iter(range(sum(counts)))
    arrivals = [(at, [section(next(numbers)) for _ in range(count)]) for at, count in zip(times, counts, strict=True)]

    reader = ClockedReader()
    options = WorkOptions(batch=MODEL.batch)
    queue.follow(
        reader, [(at, [SectionTask.build(each, reader.id) for each in some]) for at, some in arrivals], options
    )
    with ReaderShelf(lambda _: reader) as shelf:
        counted = work(queue, shelf, MemoryStore(), options)
    real = sorted(round(reader.answered[each.id] - at, 6) for at, some in arrivals for each in some)

    outcome = simulate(Scenario([Arrival(at, count) for at, count in zip(times, counts, strict=True)], MODEL))
    simulated = sorted(round(span.answered_after, 6) for span in outcome.spans for _ in range(span.sections))
    assert counted["read"] == sum(counts) == outcome.answered
    assert simulated == pytest.approx(real)
    assert all(first <= second for first, second in pairwise(real))
    assert outcome.ended == pytest.approx(max(reader.answered.values()))
