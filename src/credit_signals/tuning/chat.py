"""Rows that a generative reader is trained on: chats in JSON Lines, as trl, axolotl, Bedrock and SageMaker take them.

    {"id": "...", "group": "...", "split": "train",
     "messages": [{"role": "system", "content": "..."}, {"role": "user", "content": "..."},
                  {"role": "assistant", "content": " yes"}],
     "pieces": [["You read ...", true], ["Heading: ", true], ["Our history", false], ...]}

`pieces` is there in the rows of this product's questions alone: the prompt as the reader makes it when it serves, each
piece with whether special tokens are known in it. Such a row is trained on exactly the tokens of serving, a row without
pieces on the base model's own chat template. `write_rows` leaves the pieces out for services that refuse other keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.json_lines import read_lines
from credit_signals.tuning.teacher import Split

Role = Literal["system", "user", "assistant"]


class Message(BaseModel):
    """What one side says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str


class ChatRow(BaseModel):
    """A chat whose answers are learned. All rows of a `group` (a document, a company) are in the same split."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    group: str = Field(min_length=1)
    split: Split
    messages: tuple[Message, ...]
    pieces: tuple[tuple[str, bool], ...] = ()

    @model_validator(mode="after")
    def _in_turn(self) -> ChatRow:
        turns = [message.role for message in self.messages if message.role != "system"]
        wanted = ["user", "assistant"] * (len(turns) // 2)
        if not turns or turns != wanted or any(message.role == "system" for message in self.messages[1:]):
            raise ValueError("messages: one system message at most, then user and assistant in turn")
        if any(not message.content for message in self.messages if message.role == "assistant"):
            raise ValueError("messages: an answer is empty")
        prompt = "".join(message.content for message in self.messages[:-1])
        if self.pieces and "".join(text for text, _ in self.pieces) != prompt:
            raise ValueError("pieces: not the text of the messages before the answer")
        return self


def read_rows(path: Path) -> list[ChatRow]:
    """Read a JSON Lines file of chats.

    Raises ConfigurationError naming the line that is wrong, an id that is there twice, or a group in two splits.
    """
    rows = [row for _, row in read_lines(path, ChatRow, "a chat")]
    _require_no_leak(path, rows)
    return rows


def _require_no_leak(path: Path, rows: Sequence[ChatRow]) -> None:
    ids: set[str] = set()
    splits: dict[str, str] = {}
    for row in rows:
        if row.id in ids:
            raise ConfigurationError(f"{path}: row {row.id} is there twice")
        ids.add(row.id)
        if splits.setdefault(row.group, row.split) != row.split:
            raise ConfigurationError(f"{path}: group {row.group} of row {row.id} is in two splits")


def write_rows(path: Path, rows: Iterable[ChatRow], *, pieces: bool = True) -> int:
    """Write chats as JSON Lines and give their number; `pieces=False` writes the keys that every service takes."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            record = row.model_dump(exclude=set() if pieces and row.pieces else {"pieces"})
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count
