"""Quantization by llama.cpp, in a child process: a damaged file can abort it, and that must harm nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from credit_signals.errors import ModelRefused
from credit_signals.inference.llama import library

QUANTIZE_SECONDS = 3600
LOG_LEVEL_ERROR = 4
TYPES = (
    *("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0"),
    *("IQ4_NL", "IQ4_XS", "Q3_K_L", "Q3_K_M", "Q3_K_S"),
)  # all that need no importance matrix


EMBEDDING_TYPES = ("F16", "BF16", "Q8_0")  # a table that is only looked up loses next to nothing in these


def quantize_file(source: Path, target: Path, kind: str, embeddings: str = "", threads: int = 1) -> None:
    """Write the GGUF file at `source` in the type `kind` (of TYPES) to `target`; token embeddings may have their own.

    Raises ModelRefused with llama.cpp's reason: `source` is damaged, quantized already or no model; the disk is full.
    """
    module = "credit_signals.inference.quantize"
    command = [sys.executable, "-m", module, str(source), str(target), kind, embeddings, str(threads)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=QUANTIZE_SECONDS, check=False, text=True)  # noqa: S603  # our own module and no shell
    except subprocess.TimeoutExpired as exc:
        raise ModelRefused(f"{source}: llama.cpp did not quantize it within {QUANTIZE_SECONDS} s") from exc
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"it ended with status {done.returncode}"]
        raise ModelRefused(f"{source}: llama.cpp cannot quantize it to {kind}: {reason[0]}")


def _tell(level: int, text: bytes, _data: object) -> None:
    """Let llama.cpp's errors out."""
    if level == LOG_LEVEL_ERROR:
        sys.stderr.write(text.decode("utf-8", "replace"))


def main() -> int:
    """The child: SOURCE TARGET TYPE EMBEDDINGS THREADS."""
    source, target, kind, embeddings, threads = sys.argv[1:]
    llama = library()
    tell = llama.llama_log_callback(_tell)
    llama.llama_log_set(tell, None)
    parameters = llama.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama, f"LLAMA_FTYPE_{'ALL' if kind == 'F32' else 'MOSTLY'}_{kind}")
    if embeddings:
        parameters.token_embedding_type = getattr(llama, f"GGML_TYPE_{embeddings}")
    parameters.nthread = int(threads)
    return int(llama.llama_model_quantize(os.fsencode(source), os.fsencode(target), parameters))


if __name__ == "__main__":
    sys.exit(main())
