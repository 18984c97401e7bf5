"""What the converters of all architectures have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.tensor_files import Floats


@dataclass(frozen=True, slots=True)
class Target:
    """Where a tensor goes. With `heads`, its rows are put into llama.cpp's order of rotary halves."""

    name: str
    shape: tuple[int, ...]
    heads: int = 0
    exact: bool = False  # float32 whatever the type of the file

    def arrange(self, rows: Floats) -> Floats:
        """The tensor, or the `lora_b` of one, with its rows in llama.cpp's order."""
        return interleave(rows, self.heads) if self.heads else rows


class Architecture(Protocol):
    """A model of a known architecture, ready to be written."""

    @property
    def name(self) -> str:
        """llama.cpp's name of the architecture."""

    def canonical(self, name: str) -> str | None:
        """The name of a tensor as `layout` has it, or None for one that is not needed."""

    def layout(self) -> Mapping[str, Target]:
        """Every tensor that the model must have."""

    def computed(self) -> Mapping[str, Floats]:
        """Tensors of llama.cpp's that follow from the configuration, by their names in the file."""

    def write_metadata(self, writer: Any) -> None:
        """Shape and tokenizer."""


def interleave(rows: Floats, heads: int) -> Floats:
    """Rows of query or key weights, [heads * width, ...], from halves (x1..xn, y1..yn) to pairs (x1, y1, x2, y2...).

    transformers rotates the two halves of a head against each other, llama.cpp neighbouring rows.
    """
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def match_tensors(architecture: Architecture, source: SourceModel) -> dict[str, Target]:
    """The target of each tensor of the source that is needed, in the order of their names.

    Raises ModelRefused for one that is missing, unknown or of another shape than the configuration says.
    """
    layout, found = architecture.layout(), {}
    for name, shape in sorted(source.weights.shapes().items()):
        canonical = architecture.canonical(name)
        if canonical is None:
            continue
        target = layout.get(canonical)
        if target is None:
            raise ModelRefused(f"{source.place}: tensor {name} has no place in a {architecture.name} model")
        if shape != target.shape:
            raise ModelRefused(f"{source.place}: tensor {name} is {shape}, its configuration says {target.shape}")
        found[name] = target
    missing = {target.name for target in layout.values()} - {target.name for target in found.values()}
    if missing:
        raise ModelRefused(f"{source.place}: {len(missing)} tensors are missing, {min(missing)} among them")
    return found
