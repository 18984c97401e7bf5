"""Reader workers of one's own: processes of one thread, started again when something kills them."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from subprocess import Popen
from types import TracebackType

from credit_signals.children import end_child, start_child
from credit_signals.errors import CreditSignalsError
from credit_signals.settings import Settings

log = logging.getLogger(__name__)

MOST_DEATHS = 20  # in a row, without a section answered between them
IDLE_SECONDS = 15.0  # after which others take what a killed worker of one's own held


def default_workers() -> int:
    """One single-threaded worker per core: two processes of one thread beat one process of two."""
    return max(1, len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings in it; holds secrets, so never log it."""
    return {**os.environ, **settings.as_environment()}


class Workers:
    """`count` reader workers for the length of a block; enter and watch it in the main thread."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._environment = child_environment(settings.model_copy(update={"probe_port": 0}))  # one port, many workers
        self._log_dir = settings.data_dir / "logs"
        self._count = count
        self._processes: list[Popen[bytes]] = []
        self._deaths = 0
        self._answered = 0

    def __enter__(self) -> Workers:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for number in range(self._count):
            self._log(number).unlink(missing_ok=True)
            self._processes.append(self._start(number))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()  # all at once, so that they finish their batches side by side
        for process in self._processes:
            end_child(process)

    @property
    def pids(self) -> list[int]:
        """The process ids, by worker."""
        return [process.pid for process in self._processes]

    def keep_running(self, answered: int) -> None:
        """Start again the workers that were killed; `answered` counts the sections answered so far.

        Raises CreditSignalsError with the end of its log when a worker gave up by itself, or when workers die again and
        again without answering anything.
        """
        if answered != self._answered:
            self._answered, self._deaths = answered, 0
        for number, process in enumerate(self._processes):
            code = process.poll()
            if code is None:
                continue
            self._deaths += 1
            if code > 0 or self._deaths > MOST_DEATHS:
                tail = "\n".join(self._log(number).read_text(errors="replace").splitlines()[-5:])
                raise CreditSignalsError(
                    f"reader worker {number} ended with {code}; the end of {self._log(number)}:\n{tail}"
                )
            log.warning("reader worker %d ended with %d and is started again", number, code)
            self._processes[number] = self._start(number)

    def _start(self, number: int) -> Popen[bytes]:
        with self._log(number).open("ab") as output:
            command = [sys.executable, "-m", "credit_signals.cli", "work"]
            return start_child(command, env=self._environment, output=output)

    def _log(self, number: int) -> Path:
        return self._log_dir / f"worker-{number}.log"
