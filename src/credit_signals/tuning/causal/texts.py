"""Texts that a model is pre-trained on, and the tokenizer that is made of them."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from credit_signals.errors import ConfigurationError
from credit_signals.inference.manifest import question_files
from credit_signals.inference.prompting import MOST_SENTENCES
from credit_signals.inference.questions import Questions, load_questions
from credit_signals.tuning.json_lines import read_lines, read_text

END = "<|end|>"  # between documents; also opens a text and fills batches
LABELS_EVERY = 10  # after so many texts the tokenizer is shown all labels and numbers, so that each becomes one token
HELD_OUT = 50  # one document in so many is held out
_SPECIAL = re.compile(r"<\|[^|<>\s]+\|>")

Tokens = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Tokens of documents, each followed by END, for training and held out; and the bytes of the held-out text."""

    train: Tokens
    held_out: Tokens
    held_out_bytes: int


class _TextLine(BaseModel):
    text: str


def read_texts(paths: Sequence[Path]) -> Iterator[str]:
    """Documents: the `text` of each line of a .jsonl file, any other file as a whole.

    Raises ConfigurationError naming file and line.
    """
    for path in paths:
        if path.suffix == ".jsonl":
            yield from (line.text for _, line in read_lines(path, _TextLine, "an object with a `text`"))
        else:
            yield read_text(path)


def special_tokens(folder: Path) -> list[str]:
    """The special tokens that a folder of questions uses, in order, each once. Raises ModelRefused."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in question_files(folder))
    return list(dict.fromkeys(_SPECIAL.findall(text)))


def plain_labels(questions: Questions) -> list[str]:
    """What is answered, and the numbers of sentences: each should be one token."""
    details = questions.details
    tables = (details.judgement, details.stance, details.subject, details.severity)
    labels = [label for table in tables for label in table.labels.values()]
    return labels + [details.sentence.written(number) for number in range(1, MOST_SENTENCES + 1)]


def train_tokenizer(texts: Iterable[str], vocabulary: int, questions: Path | None) -> PreTrainedTokenizerFast:
    """A byte-level BPE of `vocabulary` tokens, END and the questions' special tokens among them.

    Its pre-tokenizer is GPT-2's, which llama.cpp knows under the name `gpt-2`. Raises ConfigurationError when the
    vocabulary is too small for bytes and special tokens, or too large for 16 bits.
    """
    specials = [END, *(special_tokens(questions) if questions else [])]
    least = len(specials) + 256 + 2 * MOST_SENTENCES
    if not least <= vocabulary <= np.iinfo(np.uint16).max:
        raise ConfigurationError(f"a vocabulary of {vocabulary} tokens: from {least} to 65535 are possible")
    labels = plain_labels(load_questions(questions)) if questions else []
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in specials],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_between(texts, labels), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, pad_token=END, add_bos_token=False
    )


def _between(texts: Iterable[str], labels: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number % LABELS_EVERY == 0:
            yield from labels
        yield text


def make_corpus(texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> Corpus:
    """Tokens of the texts; which are held out depends on each text's hash alone, so equal texts never leak."""
    end: int = tokenizer.convert_tokens_to_ids(END)
    parts: dict[bool, list[Tokens]] = {False: [], True: []}
    held_out_bytes = 0
    for batch in _batches(texts, 1000):
        encoded: Any = tokenizer(batch, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        for text, ids in zip(batch, encoded, strict=True):
            held_out = _is_held_out(text)
            held_out_bytes += held_out * len(text.encode("utf-8"))
            parts[held_out].append(np.array([*ids, end], dtype=np.uint16))
    train, kept = (np.concatenate(parts[key]) if parts[key] else np.zeros(0, np.uint16) for key in (False, True))
    return Corpus(train, kept, held_out_bytes)


def _is_held_out(text: str) -> bool:
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % HELD_OUT == 0


def _batches(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    texts = iter(texts)
    while batch := list(itertools.islice(texts, size)):
        yield batch
