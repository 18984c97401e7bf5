"""Tensors of safetensors files as NumPy arrays, read one at a time from the mapped file.

The format: 8 bytes length, that much JSON (name -> dtype, shape, offsets), then the data, little-endian
(https://github.com/huggingface/safetensors, README). The package of that name has no NumPy view of BF16.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from credit_signals.errors import ModelRefused

Floats = NDArray[np.float32]
ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
LARGEST_HEADER = 100_000_000  # the format's own limit
INDEX = "model.safetensors.index.json"


class Weights(Protocol):
    """Named float tensors."""

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""

    def read(self, name: str) -> Floats:
        """One tensor in float32."""


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int  # byte in the file


class SafetensorsWeights:
    """The float tensors of one or several files. Raises ModelRefused for a missing or damaged file."""

    def __init__(self, paths: list[Path]) -> None:
        self._entries: dict[str, _Entry] = {}
        for path in paths:
            self._entries |= _entries(path)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: entry.shape for name, entry in self._entries.items()}

    def read(self, name: str) -> Floats:
        """One tensor in float32. Raises ModelRefused when it holds a number that is not finite."""
        entry = self._entries[name]
        kind = "<u2" if entry.dtype == "BF16" else f"<f{ITEM_BYTES[entry.dtype]}"
        count = math.prod(entry.shape)
        raw = np.memmap(entry.path, kind, "r", entry.start, count) if count else np.zeros(0, kind)
        whole = raw.astype(np.uint32) << 16 if entry.dtype == "BF16" else raw
        array: Floats = (whole.view(np.float32) if entry.dtype == "BF16" else np.asarray(whole)).astype(np.float32)
        if not np.isfinite(array).all():
            raise ModelRefused(f"{entry.path}: tensor {name} holds a number that is not finite")
        return array.reshape(entry.shape)


def model_weights(folder: Path) -> SafetensorsWeights:
    """The weights of a Hugging Face model folder, in one file or in parts. Raises ModelRefused."""
    index = folder / INDEX
    if not index.exists():
        return SafetensorsWeights([folder / "model.safetensors"])
    try:
        files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        return SafetensorsWeights([folder / file for file in files])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelRefused(f"{index}: not an index of weights: {exc}") from exc


def _entries(path: Path) -> dict[str, _Entry]:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(LARGEST_HEADER, size - 8):
                raise ModelRefused(f"{path}: damaged: its header of {length} bytes does not fit {size} bytes")
            header = json.loads(file.read(length))
        return {
            name: _entry(path, name, entry, 8 + length, size)
            for name, entry in header.items()
            if name != "__metadata__" and entry["dtype"] in ITEM_BYTES
        }
    except OSError as exc:
        raise ModelRefused(f"{path}: the weights cannot be read: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ModelRefused(f"{path}: damaged: not a safetensors header: {exc}") from exc


def _entry(path: Path, name: str, entry: Mapping[str, Any], base: int, size: int) -> _Entry:
    start, end = entry["data_offsets"]
    shape = tuple(int(part) for part in entry["shape"])
    fits = min(shape, default=0) >= 0 and end - start == math.prod(shape) * ITEM_BYTES[entry["dtype"]]
    if not fits or not 0 <= start <= end <= size - base:
        raise ModelRefused(f"{path}: damaged: tensor {name} is cut short or has another size than its shape")
    return _Entry(path, entry["dtype"], shape, base + start)
