"""Quantizing a GGUF file: only to types that its rows can hold, and the whole file or none of it."""

from __future__ import annotations

from pathlib import Path

import gguf

from credit_signals.errors import ConfigurationError, ModelRefused
from credit_signals.inference.model_file import file_hash, try_loading
from credit_signals.inference.quantize import EMBEDDING_TYPES, TYPES, quantize_file
from credit_signals.tuning.conversion.gguf_file import MATRIX, whole_file, write_fault

SUPER_BLOCK = 256  # values in a block of K-quants and IQ4_XS
WHOLE = ("F32", "F16", "BF16")  # types from which a file is quantized
NEVER_QUANTIZED = ("position_embd", "token_types")  # by llama.cpp


def block_of(kind: str) -> int:
    """How many values of a row are stored together in this type."""
    if kind in WHOLE:
        return 1
    return SUPER_BLOCK if "_K" in kind or kind == "IQ4_XS" else 32


def require_fit(path: Path, kind: str) -> None:
    """Raise ModelRefused when rows of a matrix are no multiple of the type's block.

    llama.cpp would take another type for such a matrix without a word: larger, and not what was asked for.
    """
    block = block_of(kind)
    for tensor in gguf.GGUFReader(path).tensors:
        row = int(tensor.shape[0])
        if len(tensor.shape) == MATRIX and not tensor.name.startswith(NEVER_QUANTIZED) and row % block:
            fitting = ", ".join(each for each in TYPES if row % block_of(each) == 0)
            reason = f"{tensor.name} has rows of {row}, {kind} needs multiples of {block}"
            raise ModelRefused(f"{path}: {reason}; what fits: {fitting}")


def quantize(source: Path, output: Path, kind: str, embeddings: str = "", threads: int = 1) -> str:
    """Write `source` (F32, F16 or BF16) in the type `kind` (of inference.quantize.TYPES); gives the SHA-256.

    `embeddings` (of EMBEDDING_TYPES) is the type of the token embeddings when it is to be another.

    Raises ConfigurationError for an unknown type, ModelRefused for a file that is damaged or quantized already or whose
    rows do not fit, and OSError when the output cannot be written, a full disk among the reasons.
    """
    if kind not in TYPES:
        raise ConfigurationError(f"type {kind!r} is unknown; known: {', '.join(TYPES)}")
    if embeddings and embeddings not in EMBEDDING_TYPES:
        raise ConfigurationError(f"embeddings {embeddings!r} are unknown; known: {', '.join(EMBEDDING_TYPES)}")
    try_loading(source)
    require_fit(source, kind)
    with whole_file(output) as part:
        try:
            quantize_file(source, part, kind, embeddings, threads)
        except ModelRefused as exc:
            raise write_fault(part, output) or exc from exc
    return file_hash(output)
