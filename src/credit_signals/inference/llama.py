"""llama.cpp's C API: models, adapters, and contexts that take hand-made batches. Nothing else imports llama_cpp.

Everything here belongs to one thread. llama.cpp aborts the process on a batch that is too long, so lengths are checked
before each call.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from credit_signals.errors import ModelRefused, ReadFailed

MAX_SEQUENCES = 256  # llama.cpp's LLAMA_MAX_SEQ
METADATA_BYTES = 4096  # longer values are cut
GGML_TYPE_F32 = 0
LOADED_LIBRARIES = Path("/proc/self/maps")  # Linux only; elsewhere no variant is named
log = logging.getLogger(__name__)
_keep_alive: list[Any] = []  # llama.cpp calls the log callback for as long as the process lives


@functools.cache
def library() -> ModuleType:
    """The llama_cpp module, loaded on first use, silent, with the back end that fits this processor best.

    Raises ModelRefused where llama-cpp-python is not installed, as beside an Airflow whose tasks load no model.
    """
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # else an abort starts a debugger; read when the library loads
    try:
        module = importlib.import_module("llama_cpp.llama_cpp")
    except ModuleNotFoundError as exc:
        raise ModelRefused("llama-cpp-python is not installed here: no model can be loaded") from exc
    silence = module.llama_log_callback(lambda _level, _text, _data: None)
    _keep_alive.append(silence)
    module.llama_log_set(silence, ctypes.c_void_p(0))
    _load_processor_variants(module)
    module.llama_backend_init()
    log.info("llama.cpp computes with %s", _processor(module))
    return module


def processor() -> str:
    """What llama.cpp computes with: the variant it chose, or that it has one only, and the instructions it uses."""
    return _processor(library())


def _processor(module: ModuleType) -> str:
    told = module.llama_print_system_info().decode("ascii", "replace")
    instructions = " ".join(re.findall(r"(\w+) = 1\b", told)) or "no special instructions"
    variants = _processor_variants(Path(module._base_path))
    if not variants:
        return f"the one processor it was built for ({instructions})"
    loaded = LOADED_LIBRARIES.read_text() if LOADED_LIBRARIES.exists() else ""
    chosen = [file.stem.removeprefix("libggml-cpu-") for file in variants if f"/{file.name}\n" in loaded]
    return f"processor variant {', '.join(chosen) or '?'} of {len(variants)} ({instructions})"


def _processor_variants(folder: Path) -> list[Path]:
    return sorted(folder.glob("libggml-cpu-*.so"))


def _load_processor_variants(module: ModuleType) -> None:
    """Builds for mixed machines carry one back end per processor generation; llama.cpp picks the best when told to.

    It is told through the library that is loaded: a wheel holds copies where there were links, and a second libggml
    has a registry of its own.
    """
    folder = Path(module._base_path)
    if not _processor_variants(folder):
        return
    load = module._lib.ggml_backend_load_all_from_path
    load.argtypes, load.restype = [ctypes.c_char_p], None
    load(os.fsencode(folder))


class Model:
    """The weights and the tokenizer of a GGUF file, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Raises ModelRefused. The file must have been checked: see model_file."""
        self._llama = library()
        parameters = self._llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.path = path
        self.handle = self._llama.llama_model_load_from_file(os.fsencode(path), parameters) if path.is_file() else None
        if not self.handle:
            raise ModelRefused(f"{path}: llama.cpp cannot load it: missing, damaged or no GGUF file")
        self._vocabulary = self._llama.llama_model_get_vocab(self.handle)
        self.width: int = self._llama.llama_model_n_embd(self.handle)
        self.vocabulary_size: int = self._llama.llama_vocab_n_tokens(self._vocabulary)
        self.trained_length: int = self._llama.llama_model_n_ctx_train(self.handle)
        self.first_token: int = self._llama.llama_vocab_bos(self._vocabulary)
        self.adds_first_token: bool = self._llama.llama_vocab_get_add_bos(self._vocabulary)
        self.separator: int = self._llama.llama_vocab_sep(self._vocabulary)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of a text, none added. Text that looks like a special token stays text, unless `special`."""
        data = text.replace("\0", " ").encode("utf-8", "replace")
        buffer = (self._llama.llama_token * (len(data) + 8))()
        count = self._llama.llama_tokenize(self._vocabulary, data, len(data), buffer, len(buffer), False, special)
        if count < 0:
            buffer = (self._llama.llama_token * -count)()
            count = self._llama.llama_tokenize(self._vocabulary, data, len(data), buffer, len(buffer), False, special)
        tokens: list[int] = buffer[: max(count, 0)]
        return tokens

    def metadata(self, key: str, adapter: Any | None = None) -> str:
        """A value of the file's metadata, or of a loaded adapter's, as text; empty when it is not there."""
        buffer = ctypes.create_string_buffer(METADATA_BYTES)
        if adapter is None:
            length = self._llama.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        else:
            length = self._llama.llama_adapter_meta_val_str(adapter, key.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if length >= 0 else ""

    def load_adapter(self, path: Path) -> Any:
        """A low-rank adapter (GGUF), freed with the model. Raises ModelRefused."""
        adapter = self._llama.llama_adapter_lora_init(self.handle, os.fsencode(path)) if path.is_file() else None
        if not adapter:
            raise ModelRefused(f"{path}: llama.cpp cannot load the adapter, or it does not fit {self.path.name}")
        return adapter

    def close(self) -> None:
        """Free the weights. All contexts must have been closed."""
        if self.handle:
            self._llama.llama_model_free(self.handle)
            self.handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class ContextOptions:
    """Sizes of a context. `tokens` is the most that a batch, and in a causal model the whole memory, can hold.

    `exact` computes attention in float32 instead of 16 bit: slower, to be compared with the original model.
    """

    tokens: int
    sequences: int
    threads: int = 1
    embeddings: bool = False
    step: int = 512  # tokens computed at once; encoders compute a whole batch at once
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive tokens seen by the same sequences.

    `position` is that of the first token. `output` asks for the result at the last token only.
    """

    tokens: Sequence[int]
    sequences: tuple[int, ...]
    position: int = 0
    output: bool = False


class Context:
    """Working memory of a model."""

    def __init__(self, model: Model, options: ContextOptions) -> None:
        """Raises ModelRefused when llama.cpp cannot make it (too little memory, a shape it does not know)."""
        if not 0 < options.sequences <= MAX_SEQUENCES:
            raise ModelRefused(f"{model.path}: {options.sequences} sequences, llama.cpp allows {MAX_SEQUENCES}")
        self._llama = library()
        self.model = model
        self.options = options
        self.handle = self._llama.llama_init_from_model(model.handle, self._parameters())
        if not self.handle:
            raise ModelRefused(f"{model.path}: llama.cpp cannot make a context of {options.tokens} tokens")
        self._memory = self._llama.llama_get_memory(self.handle)

    def _parameters(self) -> Any:
        parameters = self._llama.llama_context_default_params()
        options = self.options
        parameters.n_ctx = parameters.n_batch = options.tokens
        parameters.n_ubatch = options.tokens if options.embeddings else min(options.step, options.tokens)
        parameters.n_seq_max = options.sequences
        parameters.n_threads = parameters.n_threads_batch = options.threads
        parameters.flash_attn_type = self._llama.LLAMA_FLASH_ATTN_TYPE_ENABLED  # off costs a third
        if options.exact:
            parameters.flash_attn_type = self._llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
            parameters.type_k = parameters.type_v = GGML_TYPE_F32
        parameters.kv_unified = True
        parameters.no_perf = True
        parameters.embeddings = options.embeddings
        if options.embeddings:
            parameters.pooling_type = self._llama.LLAMA_POOLING_TYPE_NONE
        return parameters

    def use_adapter(self, adapter: Any | None) -> None:
        """Apply the adapter from now on; None: the bare model. Raises ModelRefused."""
        handles = (self._llama.llama_adapter_lora_p_ctypes * 1)(adapter)
        scales = (ctypes.c_float * 1)(1.0)
        if self._llama.llama_set_adapters_lora(self.handle, handles, 0 if adapter is None else 1, scales):
            raise ModelRefused(f"{self.model.path}: the adapter cannot be applied")

    def forget(self, sequence: int = -1, position: int = 0) -> None:
        """Forget what a sequence (-1: every one) holds from a position on."""
        self._llama.llama_memory_seq_rm(self._memory, sequence, position, -1)

    def share(self, source: int, target: int) -> None:
        """Let the target sequence hold all that the source holds, at no cost."""
        self._llama.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def run(self, segments: Sequence[Segment]) -> int:
        """Compute a batch and give its number of tokens. Raises ReadFailed when it does not fit."""
        count = sum(len(segment.tokens) for segment in segments)
        self._check(segments, count)
        batch = _Batch(self._llama, segments, count, outputs_all=self.options.embeddings)
        status = self._llama.llama_decode(self.handle, batch.structure)
        if status:
            raise ReadFailed(f"{self.model.path.name}: llama.cpp refused a batch of {count} tokens (status {status})")
        return count

    def _check(self, segments: Sequence[Segment], count: int) -> None:
        if not 0 < count <= self.options.tokens:
            raise ReadFailed(f"{self.model.path.name}: a batch of {count} tokens, {self.options.tokens} fit")
        for segment in segments:
            if not segment.sequences or not all(0 <= number < self.options.sequences for number in segment.sequences):
                raise ReadFailed(f"{self.model.path.name}: sequences {segment.sequences} are not in the context")

    def embeddings(self, count: int) -> NDArray[np.float32]:
        """The embedding of each token of the last batch, [count, width]; valid until the next call of `run`."""
        pointer = self._llama.llama_get_embeddings(self.handle)
        return np.ctypeslib.as_array(pointer, shape=(count, self.model.width))

    def logits(self, index: int) -> NDArray[np.float32]:
        """The logits at the token `index` of the last batch, [vocabulary]; valid until the next call of `run`."""
        pointer = self._llama.llama_get_logits_ith(self.handle, index)
        return np.ctypeslib.as_array(pointer, shape=(self.model.vocabulary_size,))

    def close(self) -> None:
        """Free the memory."""
        if self.handle:
            self._llama.llama_free(self.handle)
            self.handle = None


class _Batch:
    """A `llama_batch` over NumPy arrays, which live as long as this object."""

    def __init__(self, llama: ModuleType, segments: Sequence[Segment], count: int, *, outputs_all: bool) -> None:
        self._tokens = np.fromiter(_all_tokens(segments), np.int32, count)
        self._positions = np.concatenate(
            [np.arange(s.position, s.position + len(s.tokens), dtype=np.int32) for s in segments]
        )
        lengths = [len(segment.tokens) for segment in segments]
        widths = np.array([len(segment.sequences) for segment in segments])
        self._sequences = np.array([number for s in segments for number in s.sequences], np.int32)
        offsets = np.concatenate([[0], np.cumsum(widths)[:-1]])
        addresses = self._sequences.ctypes.data + offsets * self._sequences.itemsize
        self._pointers = np.repeat(addresses, lengths).astype(np.uintp)
        self._widths = np.repeat(widths, lengths).astype(np.int32)
        self._outputs = np.full(count, outputs_all, np.int8)
        ends = np.cumsum(lengths) - 1
        self._outputs[[end for end, segment in zip(ends, segments, strict=True) if segment.output]] = 1
        self.structure = llama.llama_batch(
            n_tokens=count,
            token=self._pointer(self._tokens, ctypes.c_int32),
            embd=None,
            pos=self._pointer(self._positions, ctypes.c_int32),
            n_seq_id=self._pointer(self._widths, ctypes.c_int32),
            seq_id=self._pointer(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=self._pointer(self._outputs, ctypes.c_int8),
        )

    @staticmethod
    def _pointer(array: NDArray[Any], kind: Any) -> Any:
        return ctypes.cast(array.ctypes.data, ctypes.POINTER(kind))


def _all_tokens(segments: Sequence[Segment]) -> Iterator[int]:
    for segment in segments:
        yield from segment.tokens
