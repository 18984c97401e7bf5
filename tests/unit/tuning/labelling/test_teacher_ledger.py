"""The file of answers and costs, and the budget."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.labelling.asking import Purse
from credit_signals.tuning.labelling.endpoint import Reply
from credit_signals.tuning.labelling.ledger import Ledger, Prices, key_of


def test_answers_and_costs_outlive_the_process(tmp_path: Path) -> None:
    """What was paid for is there when the file is opened again; an answer is kept once."""
    path = tmp_path / "answers.db"
    first = Ledger(path)
    for _ in range(2):
        first.keep("k", "big", Reply("yes", 1000, 10), Prices(3.0, 15.0).of(1000, 10))
    first.keep("l", "small", Reply("no", 500, 5, counted=False), 0.5)
    first.close()
    again = Ledger(path)
    assert (again.answer("k"), again.answer("m")) == ("yes", None)
    assert again.spent() == pytest.approx(0.50315)
    assert [(row["model"], row["answers"], row["token_counts_estimated"]) for row in again.totals()] == [
        ("big", 1, 0),
        ("small", 1, 1),
    ]
    again.close()


def test_a_file_that_is_no_cache_is_refused_by_name(tmp_path: Path) -> None:
    """A damaged cache is named, not overwritten."""
    path = tmp_path / "answers.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigurationError, match=r"answers\.db cannot be used"):
        Ledger(path)
    assert path.read_bytes().startswith(b"not a database")


def test_the_key_depends_on_all_that_is_asked() -> None:
    """Another model, message or limit is another question; the order of keys is not."""
    body = {"model": "a", "messages": [{"role": "user", "content": "x"}], "max_tokens": 10}
    keys = {
        key_of(body),
        key_of(body | {"model": "b"}),
        key_of(body | {"max_tokens": 11}),
        key_of(body | {"messages": []}),
    }
    assert len(keys) == 4
    assert key_of(dict(reversed(list(body.items())))) == key_of(body)


async def test_requests_wait_for_what_others_reserve() -> None:
    """A request that would fit once others cost less than they may waits for them; what never fits is refused."""
    purse = Purse(budget=1.0, spent=0.0)
    assert await purse.reserve(0.8)
    waiting = asyncio.create_task(purse.reserve(0.8))
    await asyncio.sleep(0)
    assert not waiting.done()
    await purse.settle(0.8, 0.1)
    assert await waiting
    await purse.settle(0.8, 0.3)
    assert not await purse.reserve(0.8)


async def test_without_budget_nothing_is_refused() -> None:
    """A model of one's own costs nothing."""
    purse = Purse(budget=None, spent=5.0)
    assert all([await purse.reserve(1e9) for _ in range(3)])
