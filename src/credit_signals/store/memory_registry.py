"""Registered readers and the history of promotions in memory."""

from __future__ import annotations

import threading

from credit_signals.domain import Promotion, RegisteredReader, present_reader_id
from credit_signals.store.rules import check_promotion, merge_reader


class MemoryRegistry:
    """The reader methods of MemoryStore."""

    def __init__(self) -> None:
        self._registering = threading.Lock()
        self._readers: dict[str, RegisteredReader] = {}
        self._promotions: dict[str, Promotion] = {}  # in order

    def register_reader(self, reader: RegisteredReader) -> RegisteredReader:
        """Keep a reader; the kept one is given. Raises StoreError when the id stands for another."""
        with self._registering:
            stored = self._readers.get(reader.id)
            self._readers[reader.id] = merge_reader(stored, reader) if stored else reader
            return self._readers[reader.id]

    def reader(self, reader_id: str) -> RegisteredReader | None:
        """A registered reader, or None."""
        return self._readers.get(reader_id)

    def readers(self) -> list[RegisteredReader]:
        """All registered readers, in the order of their registration."""
        with self._registering:
            return sorted(self._readers.values(), key=lambda reader: (reader.registered_at, reader.id))

    def present_reader(self) -> RegisteredReader | None:
        """The reader that the latest decision left at work, or None: that of the settings."""
        return self.reader(present_reader_id(self.promotions()))

    def record_promotion(self, promotion: Promotion) -> None:
        """Add a decision to the history. Raises StoreError; see base.ResultsStore."""
        with self._registering:
            if promotion.id not in self._promotions:
                check_promotion(promotion, list(self._promotions.values()), self._readers)
                self._promotions[promotion.id] = promotion

    def promotions(self) -> list[Promotion]:
        """All decisions, oldest first."""
        with self._registering:
            return list(self._promotions.values())
