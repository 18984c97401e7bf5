"""Weights averaged over the last steps of training, which err less than those of the last alone (arXiv 1803.05407)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

EARLY = 10  # the average follows more closely as long as few steps were taken


class Averages:
    """Exponential averages of parameters over the last `steps` steps."""

    def __init__(self, parameters: Sequence[Any], steps: int) -> None:
        self._parameters = list(parameters)
        self._averages = [parameter.detach().clone() for parameter in self._parameters]
        self._decay = 1 - 1 / steps
        self._taken = 0

    def update(self) -> None:
        """Take the parameters in, after a step."""
        self._taken += 1
        decay = min(self._decay, self._taken / (EARLY + self._taken))
        get_ema_multi_avg_fn(decay)(self._averages, self._parameters, self._taken)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The parameters hold their averages inside, and their own values again behind."""
        own = [parameter.detach().clone() for parameter in self._parameters]
        self.keep()
        try:
            yield
        finally:
            self._copy(own)

    def keep(self) -> None:
        """The parameters hold their averages from now on."""
        self._copy(self._averages)

    def _copy(self, values: Sequence[Any]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, values, strict=True):
                parameter.copy_(value)
