"""A reader is promoted while workers read: nothing is lost, and each section is answered by the right reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tests.integration.inference.reader_samples import make_section
from tests.integration.readers.conftest import Bench, cli

from credit_signals import pipeline, settings, wiring
from credit_signals.children import end_child, start_child
from credit_signals.domain import Company, Run, SectionTask, SiteStatus, now
from credit_signals.store.base import SiteRecord

ONE = Company(id="one", name="One", domain="one.example", url="http://one.example/")
SECTIONS = 40
Worker = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def parts(bench: Bench) -> Iterator[wiring.Parts]:
    """Store and queue of the settings."""
    with wiring.opened(settings.load()) as opened:
        yield opened


@pytest.fixture
def start_worker(bench: Bench) -> Iterator[Worker]:
    """Starts workers that end with the test."""
    workers: list[subprocess.Popen[bytes]] = []
    log = (bench.folder / "workers.log").open("ab")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "credit_signals.cli", "work"]
        workers.append(start_child(command, env=os.environ, output=log))
        return workers[-1]

    with log:
        yield start
        for worker in workers:
            end_child(worker)


def enqueue(parts: wiring.Parts, name: str) -> Run:
    """A run, opened now, whose sections are queued; all runs have the same sections."""
    run = pipeline.open_run(parts.store, pipeline.RunRequest([ONE], run_id=name))
    texts = [[f"Notice {number}: we cut jobs.", "We opened a new plant."] for number in range(SECTIONS)]
    sections = tuple(make_section(text, company_id="one") for text in texts)
    record = SiteRecord(run.id, "one", SiteStatus.READ, "", 1, "en", now(), sections=sections)
    parts.store.save_site(record)
    pipeline.enqueue_company(run, record, wiring.crawl_tools(settings.load(), parts.store, parts.queue))
    return run


def wait_for(condition: Callable[[], bool], seconds: float = 200) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def answered_by(parts: wiring.Parts, run: Run) -> Counter[str]:
    """How many sections of a run each reader answered."""
    return Counter(each.reader_id for each in parts.store.predictions(run.id, "one").values())


def read(parts: wiring.Parts, run: Run) -> int:
    """How many sections of a run are read."""
    return parts.store.progress(run.id).read


def test_workers_take_up_the_promoted_reader_without_a_restart(
    bench: Bench, parts: wiring.Parts, start_worker: Worker
) -> None:
    """One worker finishes the run in flight with the old reader and reads the next run with the new one.

    Going back reads nothing again: the old reader's answers are still there.
    """
    for name in ("a", "b"):
        bench.register(name)
    bench.promote("a", "")
    before = enqueue(parts, "before")
    worker = start_worker()
    wait_for(lambda: read(parts, before) > 0)
    bench.promote("b", "a")
    after = enqueue(parts, "after")
    wait_for(lambda: read(parts, before) + read(parts, after) == 2 * SECTIONS)
    assert worker.poll() is None
    assert answered_by(parts, before) == {bench.id("a"): SECTIONS}
    assert answered_by(parts, after) == {bench.id("b"): SECTIONS}
    cli("readers", "rollback")
    back = enqueue(parts, "back")
    assert (back.reader_id, parts.store.queued_count("back")) == (bench.id("a"), 0)
    assert answered_by(parts, back) == {bench.id("a"): SECTIONS}
    assert (parts.queue.status().length, parts.queue.status().dead) == (0, 0)


def test_a_worker_killed_between_two_readers_loses_nothing(
    bench: Bench, parts: wiring.Parts, start_worker: Worker
) -> None:
    """After kill -9 in the middle of a queue that names two readers, another worker finishes both runs."""
    for name in ("a", "b"):
        bench.register(name)
    first = enqueue(parts, "first")  # no reader is promoted: that of the settings reads
    bench.promote("b", "")
    second = enqueue(parts, "second")
    worker = start_worker()
    wait_for(lambda: read(parts, first) > 0)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    start_worker()
    for run in (first, second):
        wait_for(lambda run=run: pipeline.settle(run.id, parts.store, parts.queue).unread == 0)
    assert answered_by(parts, first) == {bench.id("a"): SECTIONS}
    assert answered_by(parts, second) == {bench.id("b"): SECTIONS}
    assert parts.queue.status().dead == 0


def test_weights_that_break_later_end_the_worker_and_lose_nothing(
    bench: Bench, parts: wiring.Parts, start_worker: Worker
) -> None:
    """A promoted reader whose file is damaged afterwards is named in the log; repaired, the run is read to its end."""
    bench.register("b")
    bench.promote("b", "")
    run = enqueue(parts, "run")
    heads = bench.folder / "b" / "heads.npz"
    whole = heads.read_bytes()
    heads.write_bytes(whole[:-1] + b"x")
    worker = start_worker()
    assert worker.wait(200) == 2
    assert "heads.npz: SHA-256" in (bench.folder / "workers.log").read_text()
    assert (read(parts, run), parts.queue.status().dead) == (0, 0)
    heads.write_bytes(whole)
    start_worker()
    wait_for(lambda: read(parts, run) == SECTIONS)


def test_a_task_of_an_unknown_reader_ends_as_a_dead_letter(
    bench: Bench, parts: wiring.Parts, start_worker: Worker
) -> None:
    """The letter says what to do; once the reader is registered, the task is put back and answered."""
    task = SectionTask.build(make_section(["We cut jobs."], company_id="one"), bench.id("c"))
    parts.store.start_run(Run(id="odd", started_at=now()), [ONE], [])
    parts.store.plan_tasks("odd", "one", [task], reread=False)
    parts.queue.put([task])
    start_worker()
    wait_for(lambda: parts.queue.status().dead == 1)
    (letter,) = parts.queue.dead_letters()
    assert f"reader {bench.id('c')} is neither registered" in letter.reason
    bench.register("c")
    cli("queue", "retry")
    wait_for(lambda: parts.store.progress("odd").read == 1)
