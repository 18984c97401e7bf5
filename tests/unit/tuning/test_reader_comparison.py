"""Two readers compared on the same sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import DOCUMENTS, EACH, answers

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.answers import Answers
from credit_signals.tuning.comparison import compare
from credit_signals.tuning.metrics import code_metrics


def some(reader: Answers, keep: slice) -> Answers:
    """The answers to some sentences."""
    cut = {name: getattr(reader, name)[keep] for name in ("ids", "groups", "languages", "gold", "found")}
    return replace(reader, **cut)


def test_the_figures_are_those_of_evaluation() -> None:
    """Micro- and macro-F1 are the ones that evaluation reports, so that nobody reads two truths."""
    candidate, other = answers("new", 0.9), answers("old", 0.5)
    micro, macro = compare(candidate, other, resamples=50).figures
    mine, theirs = (code_metrics(each.gold, each.found) for each in (candidate, other))
    assert (micro.candidate, micro.other) == (mine["micro_f1"], theirs["micro_f1"])
    assert (macro.candidate, macro.other) == pytest.approx((mine["macro_f1"], theirs["macro_f1"]), abs=1e-4)


def test_a_reader_against_itself_differs_by_nothing() -> None:
    """Paired: the same answers differ by nothing in every resample, however uncertain the figure itself is."""
    comparison = compare(answers("new", 0.6), answers("old", 0.6))
    assert [(change.low, change.high) for change in comparison.figures] == [(0, 0), (0, 0)]
    assert (comparison.sentences, comparison.documents) == (DOCUMENTS * EACH, DOCUMENTS)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1000))
def test_the_interval_turns_with_the_readers(first: float, second: float, seed: int) -> None:
    """Exchanging the readers turns the interval's sign, and equal input gives equal figures."""
    one, two = answers("one", first, seed=seed), answers("two", second, seed=seed + 1)
    there, back = compare(one, two, resamples=100), compare(two, one, resamples=100)
    for change, turned in zip(there.figures, back.figures, strict=True):
        assert (change.low, change.high) == pytest.approx((-turned.high, -turned.low), abs=2e-4)
        assert change.low <= change.high
    assert compare(one, two, resamples=100) == there


def test_the_interval_holds_the_true_difference_as_often_as_it_says() -> None:
    """Over 100 splits the 95% interval of two equally good readers holds 0 about 95 times of a hundred."""
    held = 0
    for seed in range(100):
        one, two = answers("one", 0.7, seed=2 * seed), answers("two", 0.7, seed=2 * seed + 1)
        change = compare(one, two, resamples=300, seed=seed).figures[0]
        held += change.low <= 0 <= change.high
    assert 88 <= held <= 100


def test_sentences_of_a_document_count_as_one() -> None:
    """The same sentences in few documents tell less than in many: the interval is wider."""
    candidate, other = answers("new", 0.8, seed=1), answers("old", 0.7, seed=2)
    order = np.argsort(candidate.found[:, 0] != candidate.gold[:, 0], kind="stable")  # errors gathered in documents
    groups = np.empty(len(order), dtype=object)
    groups[order] = [f"d{number // 10}" for number in range(len(order))]
    few, many = tuple(groups), tuple(f"d{number}" for number in range(len(order)))
    wide, narrow = (
        compare(replace(candidate, groups=each), replace(other, groups=each)).figures[0] for each in (few, many)
    )
    assert wide.high - wide.low > narrow.high - narrow.low


def test_answers_to_something_else_are_not_compared() -> None:
    """Another split, another order, other gold or other documents are refused, not averaged over."""
    candidate, other = answers("new", 0.9), answers("old", 0.5)
    with pytest.raises(ConfigurationError, match="different splits: split-1 and split-2"):
        compare(candidate, replace(other, data_hash="split-2"))
    turned = some(other, slice(None, None, -1))
    for wrong in (
        turned,
        some(other, slice(5, None)),
        replace(other, gold=~other.gold),
        replace(other, groups=("d",) * len(other.ids)),
    ):
        with pytest.raises(ConfigurationError, match="not the same sentences"):
            compare(candidate, wrong)


def test_too_few_documents_decide_nothing() -> None:
    """A handful of documents is refused: its interval would be too narrow."""
    few = slice(0, 19 * EACH)
    with pytest.raises(ConfigurationError, match="19 documents"):
        compare(some(answers("new", 1.0), few), some(answers("old", 0.5), few))
    nothing = np.zeros_like(answers("new", 1.0).gold)
    with pytest.raises(ConfigurationError, match="with 0 gold codes"):
        compare(replace(answers("new", 1.0), gold=nothing), replace(answers("old", 0.5), gold=nothing))
