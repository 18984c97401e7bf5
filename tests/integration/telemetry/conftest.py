"""Sections on a real Redis, beside a real store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from worker_pods import Work

from credit_signals import wiring
from credit_signals.settings import LogFormat, Settings
from credit_signals.task_queue import EmbeddedRedis


@pytest.fixture
def redis() -> Iterator[EmbeddedRedis]:
    """A Redis server in a folder of a short name, so that it comes back under the same address."""
    with tempfile.TemporaryDirectory(prefix="pod-") as folder, EmbeddedRedis(Path(folder)) as server:
        yield server


@pytest.fixture
def work(tmp_path: Path, redis: EmbeddedRedis) -> Iterator[Work]:
    """A store and a queue; what a worker holds is not taken from it within the test."""
    settings = Settings(
        data_dir=tmp_path,
        redis_url=SecretStr(redis.url),
        queue_idle_seconds=600.0,
        batch=8,
        look_seconds=0.5,
        log_format=LogFormat.JSON,
    )
    with closing(wiring.open_store(settings)) as store, closing(wiring.open_queue(settings)) as queue:
        yield Work(settings, store, queue)
