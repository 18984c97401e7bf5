"""Writing GGUF files: one tensor after the other, and the whole file or none of it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.tensor_files import Floats

MATRIX = 2
PROBE_BYTES = 1 << 20
FILE_TYPES = {
    "F32": (gguf.LlamaFileType.ALL_F32, gguf.GGMLQuantizationType.F32),
    "F16": (gguf.LlamaFileType.MOSTLY_F16, gguf.GGMLQuantizationType.F16),
    "BF16": (gguf.LlamaFileType.MOSTLY_BF16, gguf.GGMLQuantizationType.BF16),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A tensor to be written: its name, shape and type, known before it is read."""

    name: str
    shape: tuple[int, ...]
    kind: gguf.GGMLQuantizationType


def plan(name: str, shape: tuple[int, ...], file_type: str, *, exact: bool = False) -> Plan:
    """Matrices are written in the type of the file, the rest in float32."""
    kind = FILE_TYPES[file_type][1] if len(shape) == MATRIX and not exact else gguf.GGMLQuantizationType.F32
    return Plan(name, shape, kind)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; renamed to it at the end, removed when anything fails.

    Raises OSError that names the file and the reason, a full disk among them, also where the writer hides it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb"):
            pass  # refuses an absent or read-only folder before the work
        yield part
        _flush(part)
        part.replace(path)
    except OSError as exc:
        if exc.errno is not None:
            raise OSError(exc.errno, os.strerror(exc.errno), str(path)) from exc
        raise write_fault(part, path) or OSError(errno.EIO, "it could not be written whole", str(path)) from exc
    finally:
        part.unlink(missing_ok=True)


def _flush(part: Path) -> None:
    with part.open("rb+") as file:
        os.fsync(file.fileno())


def write_fault(part: Path, path: Path) -> OSError | None:
    """What the system says of a further write, for writers that do not tell; None when there is nothing to say."""
    try:
        with part.open("ab") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        number = exc.errno or errno.EIO
        return OSError(number, os.strerror(number), str(path))
    return None


def write_tensors(writer: Any, plans: Iterable[Plan], arrays: Iterable[Floats]) -> None:
    """Write header, metadata and tensors; `arrays` come in the order of the plans and are read as they are written."""
    planned = list(plans)
    for each in planned:
        shape = gguf.quant_shape_to_byte_shape(each.shape, each.kind)
        writer.add_tensor_info(each.name, shape, np.dtype(np.uint8), int(np.prod(shape)), each.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for each, array in zip(planned, arrays, strict=True):
        writer.write_tensor_data(np.ascontiguousarray(gguf.quants.quantize(array, each.kind)).view(np.uint8))


def write_adapter(
    path: Path, architecture: str, alpha: float, identity: Identity, tensors: Mapping[str, Floats]
) -> None:
    """Write a low-rank adapter in 16 bit. Its scale is alpha / rank. Raises OSError.

    `tensors` are named as llama.cpp names them: `<weight>.lora_a`, [rank, inputs], and `<weight>.lora_b`,
    [outputs, rank], rows of queries and keys in llama.cpp's order.
    """
    with whole_file(path) as part:
        writer = gguf.GGUFWriter(part, architecture)
        try:
            writer.add_type("adapter")
            writer.add_string("adapter.type", "lora")
            writer.add_float32("adapter.lora.alpha", alpha)
            identity.write(writer)
            plans = [plan(name, array.shape, "F16") for name, array in tensors.items()]
            write_tensors(writer, plans, tensors.values())
        finally:
            writer.close()
