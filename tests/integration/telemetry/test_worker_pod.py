"""A worker as a good pod: probes, metrics, and its end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from pydantic import SecretStr
from worker_pods import SECRET_WORD, Pod, Work, until

from credit_signals.children import free_port
from credit_signals.task_queue import EmbeddedRedis

GAUGES = (
    "credit_signals_queue_backlog_sections",
    "credit_signals_queue_lag_sections",
    "credit_signals_queue_pending_sections",
    "credit_signals_queue_oldest_seconds",
    "credit_signals_dead_letters",
)


def test_a_pod_tells_how_it_is(work: Work, redis: EmbeddedRedis, tmp_path: Path) -> None:
    """Probes and metrics follow a worker through work, through a death of Redis and back, and to its end."""
    first = work.add(20)
    with Pod(work.settings, tmp_path) as pod:
        until(pod.ready)
        until(lambda: pod.metrics().get('credit_signals_sections_total{outcome="read"}') == 20)
        seen = until(lambda: pod.metrics() if pod.metrics().get(GAUGES[0]) == 0 else None)
        assert pod.get("/healthz") == (200, '{"status": "ok"}\n')
        assert seen["credit_signals_worker_ready"] == 1
        assert seen["credit_signals_tokens_total"] > 20 * 8 * 10
        assert seen["credit_signals_batch_sections_sum"] == 20
        assert seen["credit_signals_batch_seconds_count"] == seen["credit_signals_batch_sections_count"] >= 3
        assert seen["credit_signals_model_load_seconds"] > 0
        assert all(seen[gauge] == 0 for gauge in GAUGES)
        assert not any("company" in name or "domain" in name for name in seen)

        work.queue.put(first[:2])  # answered already
        until(lambda: pod.metrics()["credit_signals_section_cache_hits_total"] == 2)
        assert pod.metrics()['credit_signals_sections_total{outcome="read"}'] == 20

        os.kill(redis.pid, signal.SIGKILL)
        until(lambda: "queue: does not answer" in pod.failing())
        until(lambda: not set(GAUGES) & set(pod.metrics()))
        assert pod.get("/healthz")[0] == 200
        assert pod.metrics()["credit_signals_worker_ready"] == 0
        assert pod.metrics()['credit_signals_errors_total{kind="queue"}'] > 0
        with EmbeddedRedis(redis.directory):
            until(pod.ready)
            work.add(5)
            until(lambda: work.read() == 25)
            pod.process.terminate()
            assert pod.process.wait(60) == 0
    lines = pod.log_lines()
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    assert "worker done" in lines[-1]["message"]
    assert SECRET_WORD not in pod.log()


def test_a_pod_finishes_its_batch(work: Work, tmp_path: Path) -> None:
    """SIGTERM in the midst of a batch: not ready at once, the batch is saved, exit 0, the rest waits for others."""
    work.add(40)
    with Pod(work.settings.model_copy(update={"batch": 24}), tmp_path) as pod:
        until(lambda: work.queue.status().pending == 24)
        pod.compute()
        pod.process.terminate()
        assert pod.process.wait(60) == 0
    assert work.read() == 24
    assert (work.queue.status().pending, work.queue.status().lag) == (0, 16)
    assert any("finishing the batch in hand" in line["message"] for line in pod.log_lines())


@pytest.mark.parametrize(("grace", "signals"), [(600.0, 2), (0.2, 1)])
def test_a_pod_in_haste_hands_its_batch_back(work: Work, tmp_path: Path, grace: float, signals: int) -> None:
    """At a second SIGTERM, or when its grace is over, a worker exits with 0 and others can take all that it held."""
    work.add(400)
    hasty = work.settings.model_copy(update={"batch": 400, "drain_seconds": grace})
    with Pod(hasty, tmp_path) as pod:
        until(lambda: work.queue.status().pending == 400)
        pod.compute()
        pod.process.terminate()
        if signals > 1:
            until(lambda: "draining" in pod.failing())
            pod.process.terminate()
        assert pod.process.wait(30) == 0
    assert work.read() == 0
    left = work.queue.take(500, 0)
    assert {delivery.task.id for delivery in left} == {task.id for task in work.tasks}
    assert {delivery.attempts for delivery in left} == {1}


def test_a_pod_waits_for_its_store(work: Work, tmp_path: Path) -> None:
    """A worker whose store is away when it starts is alive, names what is missing, and ends in order."""
    absent = SecretStr(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    with Pod(work.settings.model_copy(update={"store_url": absent}), tmp_path) as pod:
        until(lambda: "store: does not answer" in pod.failing())
        assert "reader: not loaded yet" in pod.failing()
        assert pod.get("/healthz")[0] == 200
        pod.process.terminate()
        assert pod.process.wait(30) == 0
