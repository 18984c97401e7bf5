"""Near-duplicates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.tuning.dataset.near_duplicates import NearDuplicates, shingles

SENTENCE = "We are closing our branch in Leeds at the end of March, and all staff have been offered posts in York."


@pytest.mark.parametrize(
    "other",
    [
        SENTENCE.upper(),
        SENTENCE.replace(",", " -").replace(".", "!"),
        SENTENCE.replace("all staff", "our staff"),
        f"  {SENTENCE}  ",
    ],
)
def test_small_changes_are_near(other: str) -> None:
    """Case, punctuation and a changed word make no new sentence."""
    seen = NearDuplicates()
    assert seen.add(SENTENCE)
    assert not seen.add(other)


def test_notices_of_two_years_are_near() -> None:
    """Numbers do not tell sentences apart."""
    seen = NearDuplicates()
    assert seen.add("Revenue rose by 12% in 2023 to EUR 4.1 million.")
    assert not seen.add("Revenue rose by 7% in 2024 to EUR 4.9 million.")


@pytest.mark.parametrize("other", ["We are opening a branch in Leeds.", "Nous fermons notre agence.", "X", "!!!"])
def test_other_sentences_are_not_near(other: str) -> None:
    """A sentence on the same matter is not a duplicate."""
    seen = NearDuplicates()
    seen.add(SENTENCE)
    assert seen.add(other)


@given(st.lists(st.text(max_size=80), max_size=12))
def test_no_two_kept_texts_are_equal_in_letters(texts: list[str]) -> None:
    """Any text can be added, and none of the kept has the letters of another."""
    seen = NearDuplicates()
    kept = [shingles(text) for text in texts if seen.add(text)]
    assert len(set(kept)) == len(kept)
