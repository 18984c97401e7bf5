"""The trained adapter as a GGUF file that llama.cpp lays over the base encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from credit_signals.tuning.encoder import ALPHA_PER_RANK, SignalModel

GGUF_NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
}


def adapter_tensors(model: SignalModel) -> dict[str, np.ndarray[Any, Any]]:
    """The low-rank matrices under llama.cpp's names: `.lora_a` is [rank, inputs], `.lora_b` is [outputs, rank]."""
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for number, layer in enumerate(model.base.encoder.layer):
        for path, name in GGUF_NAMES.items():
            delta = layer.get_submodule(path).parametrizations.weight[0]
            tensors[f"blk.{number}.{name}.weight.lora_a"] = delta.a.detach().numpy()
            tensors[f"blk.{number}.{name}.weight.lora_b"] = delta.b.detach().numpy()
    return tensors


def write_adapter(model: SignalModel, path: Path) -> None:
    """Write the adapter in 16 bit with the metadata that llama.cpp asks for."""
    writer = gguf.GGUFWriter(path, arch="bert")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(ALPHA_PER_RANK * model.rank))
    writer.add_name("section-signals")
    writer.add_license("apache-2.0")
    for name, tensor in adapter_tensors(model).items():
        writer.add_tensor(name, tensor.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
