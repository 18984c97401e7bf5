"""Chat rows as tokens: what is read, what is learned, and questions on the same text side by side.

A row of the product's questions becomes exactly the tokens of serving. Rows that share their beginning (questions on
a section) are laid behind it side by side: the section is computed once, and each question sees it and itself only, at
the positions that it has alone. That is how the reader asks (inference.asking), and many times cheaper than one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from credit_signals.errors import ConfigurationError
from credit_signals.inference.prompting import Piece, label_tokens, opening_tokens, tokenize_pieces
from credit_signals.tuning.chat import ChatRow, Message

IGNORED = -100  # no loss on these tokens
TRUNK = 0  # branch of the shared beginning


class FolderTokenizer:
    """The tokenizer of a Hugging Face folder, as prompting.Tokenizer wants it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, path: Path) -> None:
        self.path = path
        self._tokenizer = tokenizer
        opened: list[int] = tokenizer("")["input_ids"]  # what the tokenizer itself puts before a text
        self.adds_first_token = bool(opened) and opened[0] == tokenizer.bos_token_id
        self.first_token: int = -1 if tokenizer.bos_token_id is None else tokenizer.bos_token_id

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """See prompting.Tokenizer."""
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=not special)
        tokens: list[int] = encoded["input_ids"]
        return tokens


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of a row. The first `shared` are the same in all rows of the section; `learned` have a loss."""

    tokens: tuple[int, ...]
    learned: tuple[bool, ...]
    shared: int


def encode(row: ChatRow, tokenizer: PreTrainedTokenizerBase, path: Path) -> Encoded:
    """Tokens of a row; the loss is on answers only.

    A row without pieces goes through the tokenizer's chat template. Raises ConfigurationError when that rewrites
    what was said before, ModelRefused when a label melts into its question.
    """
    return _encode_question(row, FolderTokenizer(tokenizer, path)) if row.pieces else _encode_chat(row, tokenizer)


def _encode_question(row: ChatRow, tokenizer: FolderTokenizer) -> Encoded:
    pieces = [Piece(text, special=special) for text, special in row.pieces]
    shared = opening_tokens(tokenizer) + tokenize_pieces(tokenizer, pieces[:-1])
    question = tokenize_pieces(tokenizer, pieces[-1:])
    answer = label_tokens(tokenizer, pieces[-1].text, row.messages[-1].content)
    tokens = (*shared, *question, *answer)
    read = len(shared) + len(question)
    return Encoded(tokens, (False,) * read + (True,) * len(answer), len(shared))


def _encode_chat(row: ChatRow, tokenizer: PreTrainedTokenizerBase) -> Encoded:
    tokens: list[int] = []
    learned: list[bool] = []
    for place, message in enumerate(row.messages):
        if message.role == "assistant":
            prompt = _render(row.messages[:place], tokenizer, opens_answer=True)
            whole = _render(row.messages[: place + 1], tokenizer)
            if whole[: len(prompt)] != prompt or prompt[: len(tokens)] != tokens:
                raise ConfigurationError(f"row {row.id}: the chat template rewrites what was said before")
            learned += [False] * (len(prompt) - len(tokens)) + [True] * (len(whole) - len(prompt))
            tokens = whole
    return Encoded(tuple(tokens), tuple(learned), 0)


def _render(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, opens_answer: bool = False
) -> list[int]:
    """Tokens of messages by the chat template; without one, contents stand in a row and each answer is ended."""
    if tokenizer.chat_template:
        rendered = tokenizer.apply_chat_template(
            [message.model_dump() for message in messages],
            add_generation_prompt=opens_answer,
            tokenize=True,
            return_dict=True,
        )
        tokens: list[int] = rendered["input_ids"]
        return tokens
    parts: list[int] = list(tokenizer("")["input_ids"])
    for message in messages:
        parts += tokenizer(message.content, add_special_tokens=False)["input_ids"]
        if message.role == "assistant" and tokenizer.eos_token_id is not None:
            parts.append(tokenizer.eos_token_id)
    return parts


def side_by_side(rows: Iterable[Encoded], limit: int) -> Iterator[dict[str, list[int]]]:
    """Examples of `input_ids`, `labels`, `position_ids` and `branch`, at most `limit` tokens each.

    Consecutive rows with the same shared beginning go into one example as long as it fits. A row that is too long alone
    is cut at the front of its shared beginning, as far as that goes; what is longer yet is left out.
    """
    for shared, group in itertools.groupby(_fitting(rows, limit), key=lambda row: row.tokens[: row.shared]):
        example = _trunk(shared)
        for row in group:
            if len(example["input_ids"]) + len(row.tokens) - row.shared > limit and example["input_ids"][row.shared :]:
                yield example
                example = _trunk(shared)
            _add(example, row)
        yield example


def one_by_one(rows: Iterable[Encoded], limit: int) -> Iterator[dict[str, list[int]]]:
    """Examples of one row each, for models that cannot lay them side by side. See side_by_side."""
    for row in _fitting(rows, limit):
        example = _trunk(row.tokens)
        example["labels"] = [
            token if wanted else IGNORED for token, wanted in zip(row.tokens, row.learned, strict=True)
        ]
        yield example


def _fitting(rows: Iterable[Encoded], limit: int) -> Iterator[Encoded]:
    for row in rows:
        over = max(0, len(row.tokens) - limit)
        if over == 0:
            yield row
        elif over < row.shared:
            yield Encoded(row.tokens[over:], row.learned[over:], row.shared - over)


def _trunk(shared: Sequence[int]) -> dict[str, list[int]]:
    return {
        "input_ids": list(shared),
        "labels": [IGNORED] * len(shared),
        "position_ids": list(range(len(shared))),
        "branch": [TRUNK] * len(shared),
    }


def _add(example: dict[str, list[int]], row: Encoded) -> None:
    own, learned = row.tokens[row.shared :], row.learned[row.shared :]
    branch = max(example["branch"], default=TRUNK) + 1
    example["input_ids"] += own
    example["labels"] += [token if wanted else IGNORED for token, wanted in zip(own, learned, strict=True)]
    example["position_ids"] += range(row.shared, len(row.tokens))
    example["branch"] += [branch] * len(own)


def collate(examples: Sequence[dict[str, list[int]]], padding: int) -> dict[str, Any]:
    """Padded tensors; `attention_mask` [n, 1, length, length] tells which token each may see."""
    length = max(len(example["input_ids"]) for example in examples)

    def padded(name: str, filler: int) -> Any:
        return torch.tensor([example[name] + [filler] * (length - len(example[name])) for example in examples])

    branch = padded("branch", -1)
    seen, sees = branch[:, None, None, :], branch[:, None, :, None]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    visible = causal & ((seen == TRUNK) | (seen == sees))  # fillers too see something: nothing is undefined
    return {
        "input_ids": padded("input_ids", padding),
        "labels": padded("labels", IGNORED),
        "position_ids": padded("position_ids", 0),
        "attention_mask": visible,
    }
