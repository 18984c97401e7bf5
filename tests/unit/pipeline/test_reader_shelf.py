"""The readers that a worker has open."""

from __future__ import annotations

import pytest

from credit_signals.errors import ModelRefused
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.pipeline import ReaderShelf


class Workshop:
    """Makes a scripted reader of any name and remembers them."""

    def __init__(self) -> None:
        self.made: list[ScriptedReader] = []

    def find(self, reader_id: str) -> ScriptedReader:
        """A new reader; never more than two are open."""
        assert sum(not reader.closed for reader in self.made) < 2
        if reader_id == "damaged":
            raise ModelRefused("damaged")
        self.made.append(ScriptedReader({reader_id: "hiring"}))
        return self.made[-1]


def test_a_reader_is_opened_once() -> None:
    """Whoever is on the shelf is not loaded again, and all are closed with it."""
    workshop = Workshop()
    with ReaderShelf(workshop.find) as shelf:
        first, second = shelf.take("a"), shelf.take("b")
        assert (shelf.take("a"), shelf.take("b")) == (first, second)
    assert [reader.closed for reader in workshop.made] == [True, True]


def test_the_one_used_longest_ago_makes_room() -> None:
    """A third reader closes the one that was not used, before it is opened itself."""
    workshop = Workshop()
    with ReaderShelf(workshop.find) as shelf:
        shelf.take("a")
        shelf.take("b")
        shelf.take("a")
        shelf.take("c")
        assert [reader.closed for reader in workshop.made] == [False, True, False]
        shelf.take("b")
        assert [reader.closed for reader in workshop.made] == [True, True, False, False]


def test_a_reader_that_cannot_be_opened_leaves_the_shelf_usable() -> None:
    """After a refusal the next reader is opened as ever."""
    workshop = Workshop()
    with ReaderShelf(workshop.find) as shelf:
        for _ in range(3):
            with pytest.raises(ModelRefused):
                shelf.take("damaged")
        shelf.take("a")
        assert len(workshop.made) == 1
