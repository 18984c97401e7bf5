"""What every store promises of readers and of the history of promotions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import store_examples as make

from credit_signals.domain import Outcome, Promotion
from credit_signals.errors import StoreError
from credit_signals.store import SqlStore
from credit_signals.store.base import ResultsStore


def with_readers(store: ResultsStore, *ids: str) -> ResultsStore:
    """The store with these readers registered."""
    for at, reader_id in enumerate(ids):
        store.register_reader(make.reader(reader_id, at))
    return store


def test_a_reader_comes_back_as_it_was_registered(store: ResultsStore) -> None:
    """Metrics and card come back unchanged; readers are listed in the order of their registration."""
    with_readers(store, "1-b", "1-a")
    assert store.reader("1-a") == make.reader("1-a", at=1)
    assert [each.id for each in store.readers()] == ["1-b", "1-a"]
    assert store.reader("1-c") is None


def test_registering_again_changes_nothing_but_the_place(store: ResultsStore) -> None:
    """The first moment stays; where the manifest lies now is taken over."""
    with_readers(store, "1-a")
    moved = store.register_reader(make.reader("1-a", at=9, manifest="elsewhere/reader.toml"))
    assert moved == make.reader("1-a", at=0, manifest="elsewhere/reader.toml")
    assert store.readers() == [moved]


def test_an_id_stands_for_one_reader(store: ResultsStore) -> None:
    """Another card or other metrics under a known id are refused by name, and what is kept stays."""
    with_readers(store, "1-a")
    with pytest.raises(StoreError, match="1-a is registered with another metrics, card"):
        store.register_reader(make.reader("1-a", card="# Another", metrics={}))
    assert store.readers() == [make.reader("1-a")]


def test_no_reader_is_present_at_first(store: ResultsStore) -> None:
    """Registering promotes nothing."""
    with_readers(store, "1-a")
    assert store.present_reader() is None
    assert store.promotions() == []


def test_the_latest_decision_says_which_reader_is_present(store: ResultsStore) -> None:
    """Promotions and rollbacks change the present reader, refusals do not, and the history keeps all of them."""
    with_readers(store, "1-a", "1-b")
    decisions = [
        (make.promotion("1-a", "", at=1), "1-a"),
        (make.promotion("1-b", "1-a", Outcome.REFUSED, at=2), "1-a"),
        (make.promotion("1-b", "1-a", at=3), "1-b"),
        (make.promotion("1-a", "1-b", Outcome.ROLLED_BACK, at=4), "1-a"),
        (make.promotion("", "1-a", Outcome.ROLLED_BACK, at=5), None),
    ]
    for decision, present in decisions:
        store.record_promotion(decision)
        found = store.present_reader()
        assert (found.id if found else None) == present
    assert store.promotions() == [decision for decision, _ in decisions]


def test_recording_a_decision_again_adds_nothing(store: ResultsStore) -> None:
    """A step that is repeated after a crash finds its decision recorded, although the present reader is a new one."""
    with_readers(store, "1-a", "1-b")
    first, second = make.promotion("1-a"), make.promotion("1-b", "1-a", at=2)
    for decision in (first, first, second, first):
        store.record_promotion(decision)
    assert store.promotions() == [first, second]


def test_a_decision_on_old_news_is_refused(store: ResultsStore) -> None:
    """Whoever compared with a reader that is no longer present cannot promote; an unknown reader never."""
    with_readers(store, "1-a", "1-b")
    store.record_promotion(make.promotion("1-a"))
    with pytest.raises(StoreError, match="1-b was to follow none, but 1-a is the present reader"):
        store.record_promotion(make.promotion("1-b", "", at=2))
    with pytest.raises(StoreError, match="1-x is not registered"):
        store.record_promotion(make.promotion("1-x", "1-a", at=3))
    assert [each.reader_id for each in store.promotions()] == ["1-a"]


def test_of_two_decisions_at_once_one_wins(store: ResultsStore) -> None:
    """Eight promotions over the same reader at the same moment: one is recorded, the others are told."""
    ids = [f"1-{number}" for number in range(8)]
    with_readers(store, "1-a", *ids)
    store.record_promotion(make.promotion("1-a"))
    start = Barrier(len(ids))

    def promote(decision: Promotion) -> bool:
        start.wait()
        try:
            store.record_promotion(decision)
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(len(ids)) as pool:
        won = list(pool.map(promote, [make.promotion(each, "1-a", at=2) for each in ids]))
    assert sum(won) == 1
    present = store.present_reader()
    assert present is not None
    assert present.id == ids[won.index(True)]
    assert len(store.promotions()) == 2


def test_a_registry_outlives_its_process(sql_url: str) -> None:
    """Readers and decisions are there for the next process."""
    for _ in range(2):
        store = SqlStore(sql_url)
        store.migrate()
        with_readers(store, "1-a").record_promotion(make.promotion("1-a"))
        present = store.present_reader()
        store.close()
        assert present == make.reader("1-a")
