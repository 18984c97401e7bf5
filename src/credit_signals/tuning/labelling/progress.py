"""What a person sees while a teacher works, on standard error."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

LINE_SECONDS = 10.0  # between two lines where the output is no terminal


class TeacherView:
    """A bar with the time left on a terminal, a line every ten seconds elsewhere. Use it as a context manager."""

    def __init__(self, name: str, total: int) -> None:
        self._console = Console(stderr=True)
        self._name, self._total, self._done = name, total, 0
        self._started = self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=total)

    def __enter__(self) -> TeacherView:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def advance(self) -> None:
        """One sentence is done."""
        self._done += 1
        self._bar.advance(self._task)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said >= LINE_SECONDS:
            self._said = now
            left = (now - self._started) / self._done * (self._total - self._done)
            self._console.print(f"{self._name}: {self._done} of {self._total}, {left / 60:.0f} min left", markup=False)
