"""The order in which training sees its examples."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches_by_length(
    examples: Sequence[T], size: int, length: Callable[[T], int], looseness: float, dice: random.Random
) -> list[list[T]]:
    """Shuffled batches of similar length, so that little is padding; lengths may differ by twice `looseness`."""
    order = sorted(examples, key=lambda example: length(example) + dice.uniform(-looseness, looseness))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    dice.shuffle(batches)
    return batches
