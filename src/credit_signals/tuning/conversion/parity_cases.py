"""What the parity gate asks: texts, and their tokens by the original tokenizer and by that of a GGUF file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from credit_signals.errors import ConfigurationError
from credit_signals.inference.encoder import CHARACTERS_PER_TOKEN, CONTEXT_TOKENS, INPUT_TOKENS, Input
from credit_signals.inference.prompting import Piece, Tokenizer, label_tokens, opening_tokens, tokenize_pieces
from credit_signals.tuning.chat import Message, read_rows
from credit_signals.tuning.json_lines import numbered_lines

Tokens = tuple[int, ...]
Row = TypeVar("Row")


class Case(Protocol):
    """One text that both sides are asked about."""

    @property
    def line(self) -> int:
        """Its line or row in the file."""

    def tokens(self, tokenizer: Tokenizer) -> Tokens:
        """All tokens that the comparison needs."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt for a causal model, and the answer that the row has."""

    line: int
    pieces: tuple[Piece, ...]
    answer: str
    opened: bool = True  # whether the tokenizer's own first token comes before the pieces

    def read(self, tokenizer: Tokenizer) -> Tokens:
        """What the model reads."""
        start = opening_tokens(tokenizer) if self.opened else []
        return (*start, *tokenize_pieces(tokenizer, self.pieces))

    def label(self, tokenizer: Tokenizer) -> int:
        """The token that answers. Raises ModelRefused when it melts into the prompt."""
        return label_tokens(tokenizer, self.pieces[-1].text, self.answer)[0]

    def tokens(self, tokenizer: Tokenizer) -> Tokens:
        """What is read, and the answer."""
        return (*self.read(tokenizer), self.label(tokenizer))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text for an encoder, with the text before it."""

    line: int
    context: str
    text: str

    def tokens(self, tokenizer: Tokenizer) -> Tokens:
        """Both, one after the other."""
        return (*tokenizer.tokenize(self.context), *tokenizer.tokenize(self.text))

    def inputs(self, tokenizer: Tokenizer, first: int, separator: int) -> tuple[Input, Input]:
        """The text alone, and the text behind its context: what inference.encoder makes of them."""
        whole = tokenizer.tokenize(self.text[: (INPUT_TOKENS - 2) * CHARACTERS_PER_TOKEN])[: INPUT_TOKENS - 2]
        before = tokenizer.tokenize(self.context[-CONTEXT_TOKENS * CHARACTERS_PER_TOKEN :])[-CONTEXT_TOKENS:]
        start = len(before) + 2
        text = whole[: INPUT_TOKENS - start - 1] or [separator]
        return (
            Input((first, *whole, separator), 0, len(whole) + 2),
            Input((first, *before, separator, *text, separator), start, start + len(text)),
        )


def read_prompts(path: Path, limit: int, render: Callable[[Sequence[Message]], str]) -> list[Prompt]:
    """Up to `limit` prompts of a file of chats (tuning.chat), evenly taken.

    `render` is the base model's chat template, for rows without pieces. Raises ConfigurationError.
    """
    prompts = []
    for number, row in _evenly(read_rows(path), limit):
        answer = row.messages[-1].content
        if row.pieces:
            pieces = tuple(Piece(text, special=special) for text, special in row.pieces)
            prompts.append(Prompt(number, pieces, answer))
        else:
            pieces = (Piece(render(row.messages[:-1]), special=True),)
            prompts.append(Prompt(number, pieces, answer, opened=False))
    return prompts


def read_sentences(path: Path, limit: int) -> list[Sentence]:
    """Up to `limit` texts of a JSON Lines file, evenly taken: `text`, and `context` or `prev` where there is one.

    Raises ConfigurationError naming the line.
    """
    sentences = [_sentence(path, number, line) for number, line in numbered_lines(path)]
    return [sentence for _, sentence in _evenly(sentences, limit)]


def _sentence(path: Path, number: int, line: str) -> Sentence:
    try:
        row = json.loads(line)
        text, context = row["text"], row.get("context", row.get("prev", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{path}, line {number}: no JSON with a `text`") from exc
    if not isinstance(text, str) or not isinstance(context, str):
        raise ConfigurationError(f"{path}, line {number}: `text` or its `context` is no text")
    return Sentence(number, context, text)


def _evenly(rows: Sequence[Row], limit: int) -> list[tuple[int, Row]]:
    """At most `limit` rows from all over the file, with their number from 1."""
    step = max(1, -(-len(rows) // limit))
    return list(enumerate(rows, start=1))[::step]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where two tokenizers part: line or row of the file, place of the token, and both tokens (-1: the text's end)."""

    line: int
    place: int
    reference: int
    served: int

    def __str__(self) -> str:
        """By position, not by text: the text may be somebody's."""
        return f"line {self.line}, token {self.place}: {self.reference} in transformers, {self.served} in the file"


def mismatches(cases: Sequence[Case], reference: Tokenizer, served: Tokenizer) -> list[Mismatch]:
    """The first token in which the tokenizers differ, for each case in which they do."""
    found = []
    for case in cases:
        ours, theirs = case.tokens(reference), case.tokens(served)
        if ours != theirs:
            longest = max(len(ours), len(theirs))
            pairs = zip(_padded(ours, longest), _padded(theirs, longest), strict=True)
            place, (a, b) = next((place, pair) for place, pair in enumerate(pairs) if pair[0] != pair[1])
            found.append(Mismatch(case.line, place, a, b))
    return found


def _padded(tokens: Tokens, length: int) -> Tokens:
    return tokens + (-1,) * (length - len(tokens))
