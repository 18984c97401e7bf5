"""Makes a causal model of Llama's architecture with random weights and a small byte-level BPE tokenizer, in seconds.

For tests (`tiny`) and benchmarks (`smol`, the shape of SmolLM-135M): it answers every question, without any sense.

    python workers/section_reader/make_tiny_llama.py tiny OUTPUT.gguf

Needs numpy and gguf. The same shape and seed give the same bytes.
"""

from __future__ import annotations

import argparse
import re
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_signals.tuning.conversion.architecture import Target
from credit_signals.tuning.conversion.convert import convert_model
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.llama import Llama
from credit_signals.tuning.conversion.model_folder import SourceModel

QUESTIONS = Path(__file__).with_name("questions")
END = "<|end|>"
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


class RandomWeights:
    """Weights of a layout: ones for norms, else noise that keeps the scale of what passes through."""

    def __init__(self, layout: Mapping[str, Target], seed: int) -> None:
        self._layout = layout
        self._seed = seed

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: target.shape for name, target in self._layout.items()}

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor; the same name and seed give the same numbers."""
        shape = self._layout[name].shape
        if len(shape) == 1:
            return np.ones(shape, np.float32)
        random = np.random.default_rng([self._seed, zlib.crc32(name.encode())])
        return random.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[-1]))


def tokenizer() -> dict[str, Any]:
    """What tokenizer.json would hold."""
    merges = train_merges(training_text())
    tokens = list(dict.fromkeys([END, *byte_letters().values(), *("".join(pair) for pair in merges)]))
    return {
        "added_tokens": [{"id": 0, "content": END, "special": True}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "model": {"type": "BPE", "vocab": {token: number for number, token in enumerate(tokens)}, "merges": merges},
    }


def make(shape: Shape, output: Path, seed: int = 0) -> None:
    """Write the model."""
    config = {
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_heads,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "vocab_size": shape.vocabulary,
    }
    bare = SourceModel("random", config, tokenizer(), RandomWeights({}, seed), {"bos": END, "eos": END})
    source = bare.with_weights(RandomWeights(Llama(bare).layout(), seed))
    identity = Identity("random-llama", description="random weights, for tests and benchmarks")
    convert_model(source, output, identity, "BF16")


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
