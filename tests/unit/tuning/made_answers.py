"""Answers of made-up readers to a made-up split."""

from __future__ import annotations

import numpy as np

from credit_signals.tuning.answers import Answers
from credit_signals.tuning.teacher import CODES

DOCUMENTS, EACH = 60, 5  # documents, and sentences of each


def answers(reader_id: str, quality: float, cost: float = 0.1, seed: int = 0) -> Answers:
    """A reader that answers a share `quality` of (sentence, code) pairs of five codes rightly, the rest by chance.

    All readers meet the same sentences; of two, the better one is right wherever the worse one is.
    """
    rows = DOCUMENTS * EACH
    chance = np.random.default_rng(99)
    gold = np.zeros((rows, len(CODES)), dtype=bool)
    gold[:, :5] = chance.random((rows, 5)) < 0.2
    luck = np.random.default_rng(seed).random((rows, 5))
    guess = chance.random((rows, 5)) < 0.2
    found = gold.copy()
    found[:, :5] = np.where(luck < quality, gold[:, :5], guess)
    return Answers(
        reader_id=reader_id,
        data_hash="split-1",
        cpu_seconds_per_section=cost,
        ids=tuple(f"s{row}" for row in range(rows)),
        groups=tuple(f"d{row // EACH}" for row in range(rows)),
        languages=("en",) * rows,
        gold=gold,
        found=found,
    )
