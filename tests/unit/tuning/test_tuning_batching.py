"""The order in which training sees its examples."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from credit_signals.tuning.batching import batches_by_length


@given(st.lists(st.text(max_size=60)), st.integers(1, 7), st.integers(0, 9))
def test_every_example_comes_once_among_its_like(examples: list[str], size: int, seed: int) -> None:
    """Batches hold every example once; without looseness none is longer than one of a batch of longer ones."""
    batches = batches_by_length(examples, size, len, 0, random.Random(seed))
    assert sorted(each for batch in batches for each in batch) == sorted(examples)
    assert all(len(batch) <= size for batch in batches)
    by_length = sorted(batches, key=lambda batch: (len(batch[0]), len(batch[-1])))
    lengths = [len(each) for batch in by_length for each in batch]
    assert lengths == sorted(lengths)
