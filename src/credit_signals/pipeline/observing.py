"""What the pipeline tells whoever listens; by default nobody does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from credit_signals.domain import SectionTask
from credit_signals.task_queue.base import NO_TRACES, Delivery


class Part(StrEnum):
    """What a worker needs."""

    QUEUE = "queue"
    STORE = "store"
    READER = "reader"


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch that was saved and acknowledged.

    `counts`: sections by outcome (read, unread, failed, dead), those whose answer was stored already (known), and
    statements left unsure (unsure).
    """

    sections: int
    seconds: float
    tokens: int
    counts: Mapping[str, int]


class WorkObserver(Protocol):
    """Hears what a worker's loop does. Calls come from the loop's thread and must return at once."""

    def stepped(self) -> None:
        """The loop goes on, whether or not queue and store answer."""

    def idled(self) -> None:
        """The queue answered that nothing waits."""

    def answered(self, part: Part) -> None:
        """A part did what it was asked for."""

    def failed(self, part: Part) -> None:
        """A part did not."""

    def finished(self, batch: BatchDone) -> None:
        """A batch is done."""


class NoObserver:
    """A WorkObserver that listens to nothing."""

    def stepped(self) -> None:
        """Nothing."""

    def idled(self) -> None:
        """Nothing."""

    def answered(self, part: Part) -> None:
        """Nothing."""

    def failed(self, part: Part) -> None:
        """Nothing."""

    def finished(self, batch: BatchDone) -> None:
        """Nothing."""


class Traces(Protocol):
    """Spans around the stages of a section's life. Each method is used with `with`."""

    def crawling(self, run_id: str, company_id: str) -> AbstractContextManager[None]:
        """A company's crawl, down to the queue."""

    def step(self, name: str, section_ids: Sequence[str]) -> AbstractContextManager[None]:
        """A step that some sections take together."""

    def sending(self, tasks: Sequence[SectionTask]) -> AbstractContextManager[Mapping[str, str]]:
        """Tasks on their way onto the queue; the trace that each takes along, by task id."""

    def receiving(self, deliveries: Sequence[Delivery]) -> AbstractContextManager[None]:
        """Deliveries in a worker's hand, each tied to where it was sent."""


class NoTraces:
    """A Traces that records nothing."""

    def crawling(self, run_id: str, company_id: str) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def step(self, name: str, section_ids: Sequence[str]) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def sending(self, tasks: Sequence[SectionTask]) -> AbstractContextManager[Mapping[str, str]]:
        """Nothing."""
        return nullcontext(NO_TRACES)

    def receiving(self, deliveries: Sequence[Delivery]) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()
