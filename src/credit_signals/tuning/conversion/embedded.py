"""What an encoder gives for the sentences of a parity file, the original and a GGUF file alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_signals.inference.formats import SignalHeads
from credit_signals.tuning.conversion.tensor_files import Floats


@dataclass(frozen=True, slots=True)
class Embedded:
    """Of n sentences: the texts alone, scaled to length 1, their means behind a context, and the codes of heads."""

    whole: Floats  # [n, width]
    spans: Floats  # [n, width]
    codes: NDArray[np.bool_] | None = None  # [n, codes]; None without heads


def embedded(whole: Floats, spans: Iterable[Floats], heads: SignalHeads | None) -> Embedded:
    """Collect; `spans` are the tokens of each text, [tokens, width], without its context's."""
    means, codes = [], []
    for tokens in spans:
        means.append(tokens.mean(axis=0))
        if heads:
            codes.append(heads.likely(heads.look(tokens)) >= heads.threshold)
    return Embedded(whole, np.array(means, np.float32), np.array(codes, bool) if heads else None)
