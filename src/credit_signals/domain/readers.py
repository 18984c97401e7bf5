"""Readers that may be put to work, and the history of which one is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from credit_signals.domain.nouns import Noun, content_id


class RegisteredReader(Noun):
    """A reader that a store knows. The id stands for all that shapes its answers, so it never changes its meaning."""

    id: str  # question version + model hash, as the manifest gives it
    kind: str  # as in the manifest
    manifest: str  # where the manifest lies; a relative path is looked up as that of the settings
    base: str  # name and SHA-256 of the base model's file, of each where there are several
    adapter: str = ""  # the same of adapters; empty: there is none
    data_hash: str  # of the data that it was trained on
    metrics: dict[str, JsonValue] = Field(default_factory=dict)  # as evaluation wrote them, with its own data hash
    card: str  # the model card, Markdown
    registered_at: datetime


class FigureChange(Noun):
    """A figure of a candidate against that of another reader, with the 95% interval of the difference."""

    name: str  # "micro-F1" or "macro-F1"
    candidate: float
    other: float
    low: float  # of candidate - other
    high: float


class Comparison(Noun):
    """A candidate against another reader on the same sentences of the test split."""

    other: str  # id of the reader compared with, or the baseline's name
    data_hash: str  # of the split
    sentences: int
    documents: int  # resampled as wholes
    resamples: int
    seed: int
    figures: tuple[FigureChange, ...]
    candidate_cost: float  # CPU-seconds per section
    other_cost: float


class Trade(Noun):
    """What may be given up, stated by whoever promotes."""

    may_lose: float = Field(0.0, ge=0, lt=1)  # F1 points out of 1 that either figure may fall, beyond the interval
    cost_factor: float | None = Field(None, gt=0)  # highest cost in multiples of the other's; None: no higher
    reason: str = Field(min_length=1)


class Outcome(StrEnum):
    """What a decision made of a reader."""

    PROMOTED = "promoted"
    REFUSED = "refused"  # the present reader stayed
    ROLLED_BACK = "rolled_back"  # `reader_id` is the one that was gone back to


class Promotion(Noun):
    """A decision about which reader is the present one: one entry of a history that only grows."""

    reader_id: str  # empty: no registered reader, that of the settings
    previous: str  # the present reader before; empty: none
    outcome: Outcome
    at: datetime
    by: str  # who decided: a person or a process
    explanation: str  # why it was decided so, with figures
    comparison: Comparison | None = None  # None: nothing was compared (rolled back)
    trade: Trade | None = None

    @property
    def id(self) -> str:
        """The entry's id: recording it twice adds nothing."""
        return content_id(self.reader_id, self.previous, self.outcome, self.at.isoformat())


def present_reader_id(history: Sequence[Promotion]) -> str:
    """The reader that the latest decision, oldest first, left at work; empty: none."""
    return next((each.reader_id for each in reversed(history) if each.outcome is not Outcome.REFUSED), "")


def reader_before(history: Sequence[Promotion]) -> str | None:
    """The reader to go back to, given the decisions, oldest first; empty: that of the settings; None: there is none.

    Going back twice goes back two promotions: a rollback takes the latest promotion away, it does not add one.
    """
    stack = [""]
    for each in history:
        if each.outcome is Outcome.PROMOTED:
            stack.append(each.reader_id)
        elif each.outcome is Outcome.ROLLED_BACK:
            stack.pop()
    return stack[-2] if len(stack) > 1 else None
