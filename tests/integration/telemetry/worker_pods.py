"""Real workers as a pod runs them, on a real Redis and a real store."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.made_sections import section_of

from credit_signals import wiring
from credit_signals.children import end_child, free_port, start_child
from credit_signals.cli.workers import child_environment
from credit_signals.domain import Section, SectionTask
from credit_signals.settings import PROJECT_ROOT, Settings
from credit_signals.store.base import ResultsStore
from credit_signals.task_queue.base import TaskQueue

T = TypeVar("T")
SECRET_WORD = "Quinquagesima"  # stands in every section, and must stand in no log


def until(look: Callable[[], T], seconds: float = 120.0) -> T:
    """What `look` gives as soon as it is truthy."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
    return value


def section(number: int) -> Section:
    """A section of eight sentences that no other number has."""
    return section_of(
        f"Notice {number} of {SECRET_WORD}, part {part}: the hall in the north opens again at nine."
        for part in range(1, 9)
    )


@dataclass
class Work:
    """Store, queue and the sections on it."""

    settings: Settings
    store: ResultsStore
    queue: TaskQueue
    tasks: list[SectionTask] = field(default_factory=list)

    def add(self, count: int) -> list[SectionTask]:
        """Queue sections that were not queued before."""
        reader = wiring.present_reader_id(self.settings, self.store)
        start = len(self.tasks)
        new = [SectionTask.build(section(number), reader) for number in range(start, start + count)]
        self.queue.put(new)
        self.tasks += new
        return new

    def read(self) -> int:
        """Tasks that the store answers."""
        return len(self.store.answered([task.id for task in self.tasks]))


class Pod:
    """A worker process as its pod starts it; use it as a context manager."""

    def __init__(self, settings: Settings, folder: Path, name: str = "pod") -> None:
        self.port = free_port()
        self.settings = settings.model_copy(update={"probe_port": self.port})
        self._log = folder / f"{name}.log"

    def __enter__(self) -> Pod:
        with self._log.open("wb") as output:
            command = [sys.executable, "-m", "workers.section_reader"]
            self.process: subprocess.Popen[bytes] = start_child(
                command, env=child_environment(self.settings), output=output, cwd=PROJECT_ROOT
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        end_child(self.process)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer; 0 while nothing listens."""
        assert self.process.poll() is None, f"the worker ended: {self.log()}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def compute(self) -> None:
        """Wait until it has computed for a while: what it took is in its hand then, not on its way there."""
        before = self._processor_seconds()
        until(lambda: self._processor_seconds() > before + 0.3)

    def _processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()  # proc(5)
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def ready(self) -> bool:
        """Whether /readyz says yes."""
        return self.get("/readyz")[0] == 200

    def failing(self) -> list[str]:
        """The conditions that /readyz names."""
        status, body = self.get("/readyz")
        return list(json.loads(body)["failing"]) if status == 503 else []

    def metrics(self) -> dict[str, float]:
        """Each sample of /metrics by name and labels."""
        lines = self.get("/metrics")[1].splitlines()
        pairs = (re.fullmatch(r"(\S+(?:\{.*\})?) (\S+)", line) for line in lines if not line.startswith("#"))
        return {pair[1]: float(pair[2]) for pair in pairs if pair}

    def log(self) -> str:
        """What it has written."""
        return self._log.read_text()

    def log_lines(self) -> list[dict[str, Any]]:
        """The same as objects."""
        return [json.loads(line) for line in self.log().splitlines()]
