"""The interface of a reader: sections in, predictions out, in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from credit_signals.domain import Prediction, Section


class Reader(Protocol):
    """Reads sections. One reader belongs to one thread of one process."""

    @property
    def id(self) -> str:
        """Question version + model hash: equal ids give equal answers."""

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order.

        Text in a language the reader does not know gives a prediction with `unread_reason`. Raises ReadFailed naming
        the section when the model cannot read it.
        """

    def close(self) -> None:
        """Free the model."""
