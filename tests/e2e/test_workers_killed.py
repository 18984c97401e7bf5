"""Workers die; what they held is read by others, once in the store."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.made_sections import section_of

from credit_signals import pipeline, wiring
from credit_signals.children import start_child
from credit_signals.cli.workers import Workers, child_environment
from credit_signals.domain import Company, Run, Section, SiteStatus, now
from credit_signals.errors import CreditSignalsError
from credit_signals.settings import Settings
from credit_signals.store.base import SiteRecord

SECTIONS = 300
KILLS = 10


@pytest.fixture
def queued(tmp_path: Path) -> Iterator[tuple[Settings, wiring.Parts, Run]]:
    """A run of one company whose sections all wait on a real Redis."""
    plain = Settings(
        data_dir=tmp_path, queue_idle_seconds=1.0, queue_attempts=KILLS + 1, batch=8, redis_url=SecretStr("")
    )
    with wiring.with_redis(plain) as settings, wiring.opened(settings) as parts:
        company = Company(id="one", name="One", domain="one.example", url="http://one.example/")
        run = pipeline.open_run(parts.store, pipeline.RunRequest([company]))
        sections = tuple(_section(number) for number in range(SECTIONS))
        record = SiteRecord(run.id, "one", SiteStatus.READ, "", 1, "en", now(), sections=sections)
        parts.store.save_site(record)
        pipeline.enqueue_company(run, record, wiring.crawl_tools(settings, parts.store, parts.queue))
        yield settings, parts, run


def _section(number: int) -> Section:
    sentences = [f"Notice {number} of our works: the hall opens at nine.", f"Parcel {number} left the yard."] * 2
    return section_of(sentences)


def _worker(settings: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "credit_signals.cli", "work", *arguments]
    with _log(settings).open("wb") as output:
        return start_child(command, env=child_environment(settings), output=output)


def _log(settings: Settings) -> Path:
    """What the worker started last has written."""
    return settings.data_dir / "worker.log"


def _watch(workers: Workers) -> None:
    for _ in range(1200):
        workers.keep_running(0)
        time.sleep(0.05)


def test_ten_kills_lose_nothing(queued: tuple[Settings, wiring.Parts, Run]) -> None:
    """Ten workers killed at random moments lose no section, and none is stored twice."""
    settings, parts, run = queued
    chance = random.Random(20)
    for _ in range(KILLS):
        before = parts.store.progress(run.id).read
        with _worker(settings) as worker:
            while parts.store.progress(run.id).read == before and worker.poll() is None:
                time.sleep(0.005)
            assert worker.poll() is None, f"the worker ended by itself: {_log(settings).read_text()}"
            time.sleep(chance.uniform(0, 0.3))
            worker.kill()
    assert parts.store.progress(run.id).unread > 0, "the kills came too late to matter"
    with _worker(settings, "--burst") as worker:
        assert worker.wait(240) == 0, _log(settings).read_text()
    progress = pipeline.settle(run.id, parts.store, parts.queue)
    assert (progress.tasks, progress.read, progress.dead) == (SECTIONS, SECTIONS, 0)
    assert len(parts.store.predictions(run.id, "one")) == SECTIONS
    assert parts.queue.status().length == 0


def test_sigterm_leaves_nothing_held(queued: tuple[Settings, wiring.Parts, Run]) -> None:
    """A worker asked to end exits with 0; what it did not read others can take at once, as if it was never taken."""
    settings, parts, run = queued
    patient = settings.model_copy(update={"queue_idle_seconds": 600.0})  # what is held stays held
    with _worker(patient) as worker:
        while parts.store.progress(run.id).read == 0:
            assert worker.poll() is None, f"the worker ended by itself: {_log(settings).read_text()}"
            time.sleep(0.005)
        worker.terminate()
        assert worker.wait(60) == 0, _log(settings).read_text()
    queue = wiring.open_queue(patient)
    try:
        left = queue.take(SECTIONS, 0)
    finally:
        queue.close()
    assert len(left) == parts.store.progress(run.id).unread
    assert {delivery.attempts for delivery in left} == {1}


def test_killed_workers_of_a_run_are_started_again(queued: tuple[Settings, wiring.Parts, Run]) -> None:
    """A run whose workers are all killed reads on with new ones, and gives up on a worker that gave up itself."""
    settings, parts, run = queued
    with Workers(settings, 2) as workers:
        first = workers.pids
        while parts.store.progress(run.id).read == 0:
            time.sleep(0.01)
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        while not set(first).isdisjoint(workers.pids):
            workers.keep_running(parts.store.progress(run.id).read)
        seen = parts.store.progress(run.id).read
        while parts.store.progress(run.id).read == seen:
            time.sleep(0.01)
    broken = settings.model_copy(update={"reader": Path("no-such-reader.toml")})
    with Workers(broken, 1) as workers, pytest.raises(CreditSignalsError, match="no-such-reader"):
        _watch(workers)
