"""Low-rank adapters as PEFT writes them: merged into the weights, or kept as a GGUF file of their own.

A merged weight is W + scale * B·A (LoRA, arXiv 2106.09685), computed in float32 and stored in 16 or 32 bit; never into
a quantized base.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.architecture import Architecture, Target
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.tensor_files import Floats, SafetensorsWeights

PREFIX = "base_model.model."
UNSUPPORTED = ("use_dora", "fan_in_fan_out", "lora_bias", "trainable_token_indices", "layer_replication", "use_qalora")


@dataclass(frozen=True, slots=True)
class Delta:
    """What is added to a weight: scale * b·a; a is [rank, inputs], b is [outputs, rank]."""

    a: Floats
    b: Floats
    scale: float

    def added_to(self, weight: Floats) -> Floats:
        """The weight with the delta."""
        merged: Floats = weight + (self.b @ self.a) * self.a.dtype.type(self.scale)
        return merged


@dataclass(frozen=True, slots=True)
class PeftAdapter:
    """A PEFT folder's matrices by the weight that they change, and weights that were trained in full."""

    place: str
    deltas: Mapping[str, Delta]
    replaced: Mapping[str, Floats]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `adapter_config.json` and `adapter_model.safetensors`. Raises ModelRefused."""
        config = _config(folder / "adapter_config.json")
        file = folder / "adapter_model.safetensors"
        weights = SafetensorsWeights([file])
        parts: dict[str, dict[str, Floats]] = {}
        replaced: dict[str, Floats] = {}
        for full in sorted(weights.shapes()):
            name = full.removeprefix(PREFIX)
            module, found, part = name.rpartition(".lora_")
            if not found:
                replaced[name] = weights.read(full)
            elif part in ("A.weight", "B.weight"):
                parts.setdefault(module, {})[part[0]] = weights.read(full)
            else:
                raise ModelRefused(f"{file}: {name} is no matrix of a linear layer's adapter")
        deltas = {f"{module}.weight": _delta(file, config, module, pair) for module, pair in parts.items()}
        if not deltas and not replaced:
            raise ModelRefused(f"{file}: holds no adapter")
        return cls(str(folder), deltas, replaced)


class MergedWeights:
    """Weights of a model with an adapter added. Raises ModelRefused when the adapter does not fit."""

    def __init__(self, source: SourceModel, adapter: PeftAdapter) -> None:
        self._base = source.weights
        self._adapter = adapter
        shapes = source.weights.shapes()
        for name, shape in _shapes(adapter).items():
            if shapes.get(name) != shape:
                raise ModelRefused(f"{adapter.place}: changes {name} {shape}, {source.place} has {shapes.get(name)}")

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return self._base.shapes()

    def read(self, name: str) -> Floats:
        """One tensor in float32."""
        if name in self._adapter.replaced:
            return self._adapter.replaced[name]
        weight = self._base.read(name)
        delta = self._adapter.deltas.get(name)
        return weight if delta is None else delta.added_to(weight)


def adapter_tensors(adapter: PeftAdapter, architecture: Architecture) -> tuple[float, dict[str, Floats]]:
    """llama.cpp's alpha, and the matrices under its names. Raises ModelRefused for what an adapter file cannot hold."""
    if adapter.replaced:
        raise ModelRefused(f"{adapter.place}: {min(adapter.replaced)} was trained in full: merge the adapter")
    layout = architecture.layout()
    first = next(iter(adapter.deltas.values()))
    alpha = first.scale * len(first.a)  # llama.cpp's scale is alpha / rank
    tensors: dict[str, Floats] = {}
    for name, delta in sorted(adapter.deltas.items()):
        target = _target(adapter, name, delta, layout.get(architecture.canonical(name) or ""))
        share = delta.scale * len(delta.a) / alpha  # 1, but where alpha or rank differ between modules
        tensors[f"{target.name}.lora_a"] = delta.a
        tensors[f"{target.name}.lora_b"] = target.arrange(delta.b) * delta.b.dtype.type(share)
    return alpha, tensors


def _target(adapter: PeftAdapter, name: str, delta: Delta, target: Target | None) -> Target:
    if target is None or not target.name.startswith(("blk.", "output.")):
        raise ModelRefused(f"{adapter.place}: llama.cpp has no adapter for {name}: merge it")
    shape = (len(delta.b), delta.a.shape[1])
    if target.shape != shape:
        raise ModelRefused(f"{adapter.place}: changes {name} {shape}, the model has {target.shape}")
    return target


def _shapes(adapter: PeftAdapter) -> dict[str, tuple[int, ...]]:
    changed: dict[str, tuple[int, ...]] = {
        name: (len(delta.b), delta.a.shape[1]) for name, delta in adapter.deltas.items()
    }
    return changed | {name: array.shape for name, array in adapter.replaced.items()}


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except OSError as exc:
        raise ModelRefused(f"{path}: cannot be read: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise ModelRefused(f"{path}: not the configuration of a low-rank adapter: {exc!r}") from exc
    used = [name for name in UNSUPPORTED if config.get(name)]
    if config.get("peft_type") != "LORA" or used or config.get("bias", "none") != "none" or rank < 1 or alpha <= 0:
        raise ModelRefused(f"{path}: only plain LoRA is converted, not {used or config.get('peft_type')}")
    return dict(config)


def _delta(file: Path, config: Mapping[str, Any], module: str, pair: Mapping[str, Floats]) -> Delta:
    a, b = pair.get("A"), pair.get("B")
    if a is None or b is None or a.ndim != 2 or b.ndim != 2 or len(a) != b.shape[1]:  # noqa: PLR2004  # matrices
        raise ModelRefused(f"{file}: the matrices of {module} are not a pair")
    alpha = _pattern(config.get("alpha_pattern"), module, float(config["lora_alpha"]))
    rank = len(a)
    return Delta(a, b, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank))


def _pattern(patterns: Mapping[str, float] | None, module: str, default: float) -> float:
    """PEFT's alpha_pattern: the module's name ends with the key."""
    matching = [value for key, value in (patterns or {}).items() if f".{module}".endswith(f".{key}")]
    return float(matching[0]) if matching else default
