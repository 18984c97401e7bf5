"""Lines of sentences, labelled or not: the files between sampling, labelling, grading and training.

    {"id": "...", "src": "site/example.com", "lang": "en", "prev": "...", "text": "...", "split": "train", ...}

`src` is the document or the company: all its sentences are in one split. `prev` is the sentence or heading before. Each
step keeps the keys that it does not know; labelling adds `signals`, after which tuning/teacher.py reads the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.json_lines import read_lines


class SentenceRow(BaseModel):
    """A sentence, what stands before it, and where it is from. Further keys are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(min_length=1)
    src: str = ""
    lang: str = ""  # ISO 639-1, or empty
    prev: str = ""
    text: str = Field(min_length=1)

    @property
    def group(self) -> str:
        """The document or company that it is split by."""
        return self.src or self.id

    def record(self) -> dict[str, Any]:
        """The line, further keys included."""
        return self.model_dump(mode="json")


def read_sentences(path: Path) -> list[SentenceRow]:
    """Read JSON Lines. Raises ConfigurationError naming the line that is wrong or an id that is there twice."""
    rows: list[SentenceRow] = []
    ids: set[str] = set()
    for number, row in read_lines(path, SentenceRow, "a sentence"):
        if row.id in ids:
            raise ConfigurationError(f"{path}, line {number}: id {row.id} is there twice")
        ids.add(row.id)
        rows.append(row)
    return rows


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> int:
    """Write JSON Lines as a whole or not at all; gives their number. Raises OSError."""
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    half.write_text("".join(lines), encoding="utf-8", newline="\n")
    half.replace(path)
    return len(lines)


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write a JSON file as a whole or not at all. Raises OSError."""
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    half.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    half.replace(path)


def beside(path: Path, name: str) -> Path:
    """A file that belongs to another: labels.jsonl, review -> labels.review.jsonl."""
    return path.with_name(f"{path.stem}.{name}")
