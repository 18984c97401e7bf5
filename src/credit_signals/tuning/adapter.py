"""The trained adapter as a GGUF file that llama.cpp lays over the base encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from credit_signals.tuning.conversion.bert import BLOCKS
from credit_signals.tuning.conversion.gguf_file import write_adapter as write_adapter_file
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.encoder import ALPHA_PER_RANK, SignalModel


def adapter_tensors(model: SignalModel) -> dict[str, np.ndarray[Any, Any]]:
    """The low-rank matrices under llama.cpp's names: `.lora_a` is [rank, inputs], `.lora_b` is [outputs, rank]."""
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for number, layer in enumerate(model.base.encoder.layer):
        for path, name in BLOCKS.items():
            delta = layer.get_submodule(path).parametrizations.weight[0]
            tensors[f"blk.{number}.{name}.weight.lora_a"] = delta.a.detach().numpy()
            tensors[f"blk.{number}.{name}.weight.lora_b"] = delta.b.detach().numpy()
    return tensors


def write_adapter(model: SignalModel, path: Path) -> None:
    """Write the adapter in 16 bit. Raises OSError."""
    identity = Identity("section-signals", license="apache-2.0")
    write_adapter_file(path, "bert", float(ALPHA_PER_RANK * model.rank), identity, adapter_tensors(model))
