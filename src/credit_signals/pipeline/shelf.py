"""The readers that a worker has open."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import TracebackType

from credit_signals.errors import ReaderUnknown
from credit_signals.inference.base import Reader

log = logging.getLogger(__name__)

MOST_OPEN = 2  # the present reader and the one before: what a promotion leaves in flight


class ReaderShelf:
    """Opens a reader when a task names it and keeps the ones used last; one thread of one process uses it.

    `find` opens the reader of an id; it raises ReaderUnknown when there is none, ModelRefused when it cannot be opened.
    `opened` hears how many seconds that took.
    """

    def __init__(
        self,
        find: Callable[[str], Reader],
        most: int = MOST_OPEN,
        opened: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._find = find
        self._most = most
        self._opened = opened
        self._open: dict[str, Reader] = {}  # the one used last stands last

    @classmethod
    def of(cls, *readers: Reader) -> ReaderShelf:
        """A shelf of readers that are open already."""
        by_id = {reader.id: reader for reader in readers}

        def find(reader_id: str) -> Reader:
            if reader_id not in by_id:
                raise ReaderUnknown(f"reader {reader_id} is not on the shelf")
            return by_id[reader_id]

        return cls(find, max(1, len(by_id)))

    def take(self, reader_id: str) -> Reader:
        """The reader of an id. Raises ReaderUnknown, ModelRefused, StoreUnavailable."""
        reader = self._open.pop(reader_id, None)
        if reader is None:
            while len(self._open) >= self._most:  # closed first: two models in memory, never three
                oldest = next(iter(self._open))
                self._open.pop(oldest).close()
                log.info("reader %s closed", oldest, extra={"reader": oldest})
            begun = time.monotonic()
            reader = self._find(reader_id)
            seconds = time.monotonic() - begun
            log.info("reader %s opened in %.2f s", reader_id, seconds, extra={"reader": reader_id})
            self._opened(seconds)
        self._open[reader_id] = reader
        return reader

    def __enter__(self) -> ReaderShelf:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._open:
            self._open.popitem()[1].close()
