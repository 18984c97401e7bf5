"""The interface of a reader: sections in, predictions out, in the same order.

A cascade joins two: one that proposes what it finds at all likely, and one that is asked about what is doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from credit_signals.domain import Prediction, Section


class Reader(Protocol):
    """Reads sections. One reader belongs to one thread of one process."""

    @property
    def id(self) -> str:
        """Question version + model hash: equal ids give equal answers."""

    @property
    def tokens(self) -> int:
        """Tokens that the models have computed since they were opened."""

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order.

        Text in a language the reader does not know gives a prediction with `unread_reason`. Raises ReadFailed naming
        the section when the model cannot read it.
        """

    def close(self) -> None:
        """Free the model."""


class Proposer(Reader, Protocol):
    """A reader whose confidences are calibrated probabilities."""

    def propose(self, sections: Sequence[Section], least: Mapping[str, float]) -> list[Prediction]:
        """As `read`, but each code of `least` is a signal from that probability on; the margins tell its own mind."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Whether a sentence, which stands after `context`, states a code. An empty language is an unknown one."""

    context: str
    text: str
    code: str
    language: str = ""


class Judge(Reader, Protocol):
    """A reader that answers single questions."""

    def judge(self, doubts: Sequence[Doubt]) -> list[float | None]:
        """The probability of yes to each, same order; None where it knows neither language nor code.

        Raises ReadFailed.
        """
