"""Makes a causal model of Llama's architecture with random weights and a small byte-level BPE tokenizer, in seconds.

For tests (`tiny`) and benchmarks (`smol`, the shape of SmolLM-135M): it answers every question, without any sense.

    python workers/section_reader/make_tiny_llama.py tiny OUTPUT.gguf

Needs numpy and gguf. The same shape and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

QUESTIONS = Path(__file__).with_name("questions")
MERGES = 700
NUMBERS = 20  # the first tokens of " 1" to " 20" must differ
_WORD = re.compile(r" ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z\d]+|\s+")


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a Llama model."""

    width: int
    layers: int
    heads: int
    key_heads: int
    hidden: int
    vocabulary: int
    context: int = 2048


SHAPES = {
    "tiny": Shape(width=64, layers=2, heads=4, key_heads=2, hidden=128, vocabulary=1024),
    "smol": Shape(width=576, layers=30, heads=9, key_heads=3, hidden=1536, vocabulary=49152),
}


def byte_letters() -> dict[int, str]:
    """A printable character for each byte, as GPT-2 writes them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}


def train_merges(text: str) -> list[tuple[str, str]]:
    """The most frequent pairs, one after the other (byte-pair encoding)."""
    letters = byte_letters()
    counts = Counter("".join(letters[byte] for byte in word.encode()) for word in _WORD.findall(text))
    words = {word: list(word) for word in counts}
    merges: list[tuple[str, str]] = []
    while len(merges) < MERGES:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, parts in words.items():
            for pair in pairwise(parts):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for parts in words.values():
            _merge(parts, best)
    return merges


def _merge(parts: list[str], pair: tuple[str, str]) -> None:
    place = 0
    while place < len(parts) - 1:
        if (parts[place], parts[place + 1]) == pair:
            parts[place : place + 2] = ["".join(pair)]
        place += 1


def training_text() -> str:
    """The questions, and numbers often enough to become tokens."""
    prompts = "".join(path.read_text(encoding="utf-8") for path in sorted(QUESTIONS.glob("*.toml")))
    return prompts + 50 * "".join(f" {number}" for number in range(1, NUMBERS + 1))


def tensors(shape: Shape, seed: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Random weights under llama.cpp's names."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> NDArray[np.float32]:
        return random.standard_normal((rows, columns), np.float32) / np.float32(np.sqrt(columns))

    keys = shape.width // shape.heads * shape.key_heads
    yield "token_embd.weight", matrix(shape.vocabulary, shape.width)
    yield "output_norm.weight", np.ones(shape.width, np.float32)
    for layer in range(shape.layers):
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{name}.weight", np.ones(shape.width, np.float32)
        for name, rows, columns in (
            ("attn_q", shape.width, shape.width),
            ("attn_k", keys, shape.width),
            ("attn_v", keys, shape.width),
            ("attn_output", shape.width, shape.width),
            ("ffn_gate", shape.hidden, shape.width),
            ("ffn_up", shape.hidden, shape.width),
            ("ffn_down", shape.width, shape.hidden),
        ):
            yield f"blk.{layer}.{name}.weight", matrix(rows, columns)


def write_metadata(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Shape and tokenizer."""
    writer.add_name("random-llama")
    writer.add_description("random weights, for tests and benchmarks")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    merges = train_merges(training_text())
    tokens = ["<|end|>", *byte_letters().values(), *("".join(pair) for pair in merges)]
    tokens = list(dict.fromkeys(tokens))
    kinds = [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (len(tokens) - 1)
    spare = shape.vocabulary - len(tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens + [f"<|spare {number}|>" for number in range(spare)])
    writer.add_token_types(kinds + [gguf.TokenType.UNUSED] * spare)
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def make(shape: Shape, output: Path, seed: int = 0) -> None:
    """Write the model."""
    writer = gguf.GGUFWriter(output, "llama")
    write_metadata(writer, shape)
    for name, array in tensors(shape, seed):
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            bf16 = gguf.quants.quantize(array, gguf.GGMLQuantizationType.BF16)
            writer.add_tensor(name, bf16, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=sorted(SHAPES))
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    make(SHAPES[arguments.shape], arguments.output)
    sys.stdout.write(f"{arguments.output}: {arguments.output.stat().st_size / 2**20:.1f} MiB\n")


if __name__ == "__main__":
    main()
