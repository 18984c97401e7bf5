"""What was asked and answered, and what it cost: an SQLite file, so that a killed run goes on without asking twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.labelling.endpoint import Reply

MILLION = 1_000_000
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    model TEXT NOT NULL,
    day TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    dollars REAL NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per million tokens."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Dollars."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / MILLION


FREE = Prices()


def key_of(body: dict[str, Any]) -> str:
    """The content hash of a request: model, messages, schema and all options."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Ledger:
    """Answers by the hash of their request. Each is committed with its cost before anything else is done with it.

    Raises ConfigurationError when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors():
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._connection.execute(_TABLES)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise ConfigurationError(f"answer cache {self._path} cannot be used: {exc}") from exc

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def answer(self, key: str) -> str | None:
        """The content of a known answer, or None."""
        with self._errors():
            row = self._connection.execute("SELECT content FROM answers WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def keep(self, key: str, model: str, reply: Reply, dollars: float) -> None:
        """Keep an answer and its cost."""
        day = datetime.now(UTC).date().isoformat()
        row = (key, reply.content, model, day, reply.prompt_tokens, reply.completion_tokens, reply.counted, dollars)
        with self._errors():
            self._connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def spent(self) -> float:
        """Dollars of all answers in the file."""
        with self._errors():
            return float(self._connection.execute("SELECT COALESCE(SUM(dollars), 0) FROM answers").fetchone()[0])

    def totals(self) -> list[dict[str, Any]]:
        """Answers, tokens and dollars by day and model."""
        query = """
            SELECT day, model, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens), SUM(dollars), SUM(1 - counted)
            FROM answers GROUP BY day, model ORDER BY day, model
        """
        names = ("day", "model", "answers", "prompt_tokens", "completion_tokens", "dollars", "token_counts_estimated")
        with self._errors():
            rows = self._connection.execute(query).fetchall()
        return [dict(zip(names, row, strict=True)) | {"dollars": round(row[5], 6)} for row in rows]
