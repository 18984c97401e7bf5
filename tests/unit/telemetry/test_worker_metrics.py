"""The metrics of a worker, and their table in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from credit_signals.pipeline import BatchDone, Part
from credit_signals.task_queue.base import QueueStatus
from credit_signals.telemetry.metrics import QueueGauges
from credit_signals.telemetry.metrics_table import metrics_table
from credit_signals.telemetry.worker import WorkerTelemetry

PAGE = Path(__file__).parents[3] / "docs/operating.md"


def test_the_documentation_has_every_metric() -> None:
    """The table in docs/operating.md is the one that the code gives; `metrics_table` prints it."""
    assert metrics_table() in PAGE.read_text(encoding="utf-8")


def test_metrics_keep_their_names_and_have_no_endless_label() -> None:
    """Dashboards and alerts hang on these names; a label of a company would make a series for each."""
    telemetry = WorkerTelemetry(stall_seconds=1)
    families = telemetry.metrics.families()
    assert all(re.fullmatch(r"credit_signals_[a-z_]+", family.name) and family.documentation for family in families)
    labels = {key for family in families for sample in family.samples for key in sample.labels}
    assert labels == {"outcome", "kind", "le"}
    shown = metrics_table()
    for name in (
        "sections_total{outcome=read, unread, failed, dead}",
        "statements_unsure_total",
        "tokens_total",
        "batch_sections",
        "batch_seconds",
        "section_cache_hits_total",
        "queue_backlog_sections",
        "queue_lag_sections",
        "queue_pending_sections",
        "queue_oldest_seconds",
        "dead_letters",
        "model_load_seconds",
        "errors_total{kind=queue, store, reader}",
        "last_progress_timestamp_seconds",
        "worker_ready",
    ):
        assert f"`credit_signals_{name}`" in shown


def test_a_batch_is_counted() -> None:
    """Sections by outcome, cache hits, tokens and unsure statements add up; progress is noted."""
    telemetry = WorkerTelemetry(stall_seconds=1)
    value = telemetry.metrics.registry.get_sample_value
    counts = {"read": 3, "failed": 1, "known": 2, "unsure": 4}
    telemetry.finished(BatchDone(sections=6, seconds=0.5, tokens=700, counts=counts))
    telemetry.failed(Part.STORE)
    assert value("credit_signals_sections_total", {"outcome": "read"}) == 3
    assert value("credit_signals_sections_total", {"outcome": "dead"}) == 0
    assert value("credit_signals_section_cache_hits_total") == 2
    assert value("credit_signals_statements_unsure_total") == 4
    assert value("credit_signals_tokens_total") == 700
    assert value("credit_signals_batch_sections_sum") == 6
    assert value("credit_signals_errors_total", {"kind": "store"}) == 1
    assert (value("credit_signals_last_progress_timestamp_seconds") or 0) > 1.7e9
    assert value("credit_signals_worker_ready") == 0


def test_a_queue_that_does_not_answer_has_no_figures() -> None:
    """A stale backlog would steer a scaler wrongly: old figures vanish, and at once when the queue is gone."""
    moment = [0.0]
    gauges = QueueGauges(30, lambda: moment[0])
    assert list(gauges.collect()) == []
    gauges.saw(QueueStatus(length=5, lag=3, pending=2, dead=1, consumers=1, oldest_seconds=9.5))
    assert [metric.samples[0].value for metric in gauges.collect()] == [5, 3, 2, 9.5, 1]
    moment[0] = 31
    assert list(gauges.collect()) == []
    moment[0] = 30
    gauges.saw(None)
    assert list(gauges.collect()) == []
