"""What the steps of a life need of the world: the registry of readers and the teacher's key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from credit_signals.domain import Outcome, RegisteredReader
from credit_signals.store.base import ResultsStore


@dataclass(frozen=True, slots=True)
class Tools:
    """How to reach the store and the files of registered readers. Nothing is opened before it is needed."""

    open_store: Callable[[], ResultsStore]
    manifest_of: Callable[[RegisteredReader], Path]
    place_for_workers: Callable[[Path], str]
    configured: Path  # manifest of the reader that works while none is promoted
    by: str  # who decides, for the record
    key: SecretStr | None = None  # of the teacher

    @contextmanager
    def store(self) -> Iterator[ResultsStore]:
        """The results store, for the length of a block: training takes hours, and a connection need not."""
        store = self.open_store()
        try:
            yield store
        finally:
            store.close()

    def manifest_at_work(self) -> Path:
        """The manifest of the reader that reads new runs. Raises StoreUnavailable."""
        with self.store() as store:
            present = store.present_reader()
        return self.manifest_of(present) if present else self.configured

    def rival(self, reader_id: str) -> RegisteredReader | None:
        """The promoted reader that this one has to beat; None: the baseline.

        While the reader itself is at work it is the one before: a step that is repeated finds what it found.
        """
        with self.store() as store:
            decided = next((each for each in reversed(store.promotions()) if each.outcome is not Outcome.REFUSED), None)
            if decided is None:
                return None
            name = decided.previous if decided.reader_id == reader_id else decided.reader_id
            return store.reader(name) if name else None
