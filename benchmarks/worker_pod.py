"""A worker as its pod runs it: memory, cold start, speed, and how long it takes to end while it is busy.

    python benchmarks/worker_pod.py [--sections 300] [--drains 7] [--store URL] [--redis URL]

Without addresses: a Redis and an SQLite store in a temporary folder. The settings of the environment count otherwise
(reader, batch). Sections: ten sentences each, all different. Linux only (/proc).

cold start   from the start of the process until the first batch is in the store; the load of the model is part of it
memory       the most seen while it reads: RSS, and PSS, in which pages that processes share (the model) count in parts
speed        sections per CPU second of the process, from the first batch to the last
drain        from SIGTERM, sent at a random moment while it reads, to the end of the process
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from reader import make_sections

from credit_signals import settings, wiring
from credit_signals.children import end_child, free_port, start_child
from credit_signals.cli.workers import child_environment
from credit_signals.domain import SectionTask
from credit_signals.settings import PROJECT_ROOT, Settings

MOST_DRAIN_WAIT = 1.0  # seconds of work before a SIGTERM
KIB = 1024


class Pod:
    """A worker process with its probes."""

    def __init__(self, chosen: Settings, folder: Path) -> None:
        self.port = free_port()
        environment = child_environment(chosen.model_copy(update={"probe_port": self.port}))
        self.started = time.monotonic()
        with (folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "workers.section_reader"]
            self.process = start_child(command, env=environment, output=log, cwd=PROJECT_ROOT)

    def metric(self, name: str) -> float:
        """A sample of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))

    def memory(self) -> dict[str, float]:
        """MiB by kind."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]
        return {kind.rstrip(":"): float(amount) / KIB for kind, amount, _ in map(str.split, lines)}


@contextmanager
def running(chosen: Settings, folder: Path) -> Iterator[Pod]:
    """A worker for the length of a block."""
    pod = Pod(chosen, folder)
    try:
        yield pod
    finally:
        end_child(pod.process, 60)


def until_read(parts: wiring.Parts, tasks: list[SectionTask], count: int, pod: Pod) -> dict[str, float]:
    """Wait until so many tasks are answered; the most memory seen meanwhile, MiB by kind."""
    most: dict[str, float] = {}
    ids = [task.id for task in tasks]
    while len(parts.store.answered(ids)) < count:
        if pod.process.poll() is not None:
            raise SystemExit("the worker ended by itself")
        most = {kind: max(amount, most.get(kind, 0.0)) for kind, amount in pod.memory().items()}
        time.sleep(0.05)
    return most


def reading(chosen: Settings, parts: wiring.Parts, tasks: list[SectionTask], folder: Path) -> None:
    """Memory, cold start and speed."""
    parts.queue.put(tasks)
    with running(chosen, folder) as pod:
        until_read(parts, tasks, 1, pod)
        cold = time.monotonic() - pod.started
        cpu, tokens = pod.metric("process_cpu_seconds_total"), pod.metric("credit_signals_tokens_total")
        first = pod.metric("credit_signals_batch_sections_sum")
        most = until_read(parts, tasks, len(tasks), pod)
        used = pod.metric("process_cpu_seconds_total") - cpu
        read = pod.metric("credit_signals_batch_sections_sum") - first
        computed = pod.metric("credit_signals_tokens_total") - tokens
        load = pod.metric("credit_signals_model_load_seconds")
    print(
        f"cold start   {cold:.2f} s to the first section saved; CPU {cpu:.2f} s; model verified and loaded {load:.2f} s"
    )
    print(f"memory       PSS {most['Pss']:.0f} MiB, RSS {most['Rss']:.0f} MiB, private {most['Private_Dirty']:.0f} MiB")
    print(f"speed        {read / used:.1f} sections/CPU s, {computed / used:.0f} tokens/CPU s, {read:.0f} sections")


def draining(chosen: Settings, parts: wiring.Parts, tasks: list[SectionTask], folder: Path, trials: int) -> None:
    """How long a worker takes to end while it is busy, and that nothing is held or lost."""
    chance, seconds = random.Random(4), []
    parts.queue.put(tasks)
    for _ in range(trials):
        with running(chosen, folder) as pod:
            before = len(parts.store.answered([task.id for task in tasks]))
            until_read(parts, tasks, before + 1, pod)
            time.sleep(chance.uniform(0, MOST_DRAIN_WAIT))
            begun = time.monotonic()
            pod.process.terminate()
            code = pod.process.wait(300)
            seconds.append(time.monotonic() - begun)
        left = len(tasks) - len(parts.store.answered([task.id for task in tasks]))
        status = parts.queue.status()
        if code or status.length != left or not left:
            raise SystemExit(f"exit {code}, {left} unread, {status}: a loss, or too few sections to drain under work")
    print(
        f"drain        median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {trials}, nothing lost"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=300)
    parser.add_argument("--drains", type=int, default=7)
    parser.add_argument("--store", default="", help="results store (default: SQLite in a temporary folder)")
    parser.add_argument("--redis", default="", help="Redis (default: one of its own)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pod-") as name:
        folder = Path(name)
        addresses = {"store_url": SecretStr(arguments.store), "redis_url": SecretStr(arguments.redis)}
        chosen = settings.load().model_copy(update={"data_dir": folder, **addresses})
        with wiring.with_redis(chosen) as served, wiring.opened(served) as parts:
            reader = wiring.present_reader_id(served, parts.store)
            made = [SectionTask.build(section, reader) for section in make_sections(10 * arguments.sections)]
            print(f"reader {reader}, batch {served.batch}, {arguments.sections} sections")
            reading(served, parts, made[: arguments.sections], folder)
            draining(served, parts, made[arguments.sections :], folder, arguments.drains)
            parts.queue.ack(parts.queue.take(len(made), 0))  # a Redis of somebody else is left empty
    print(subprocess.run(["uptime"], capture_output=True, text=True, check=False).stdout.strip())


if __name__ == "__main__":
    main()
