"""Companies -> crawled in shards -> queued -> read by the workers -> scored. A cleared task goes on where it was."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, dag, task
from crawl_form import FORM
from run_read_sensor import RunReadSensor
from worker_scaling import ScaleWorkers

REPORTS = Asset("credit_signals_reports")


@dag(
    schedule=os.environ.get("CREDIT_SIGNALS_SCHEDULE", "@daily") or None,  # empty: by hand only
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
    params=FORM,
    tags=["credit-signals"],
    doc_md=__doc__,
)
def crawl_companies() -> None:
    """The order of the tasks; their work is `credit_signals.steps`."""

    @task
    def open_run(params: Any = None, dag_run: Any = None) -> list[dict[str, Any]]:
        from credit_signals import steps

        return steps.open_run(params, run_id=dag_run.run_id)

    @task
    def crawl_shard(shard: dict[str, Any]) -> dict[str, int]:
        from credit_signals import steps

        return steps.crawl_shard(**shard)

    @task
    def enqueue(shards: Any) -> str:
        from credit_signals import steps

        return steps.enqueue(shards[0]["run_id"])

    @task(outlets=[REPORTS])
    def score(credit_run: Any, outlet_events: Any = None) -> None:
        from credit_signals import steps

        outlet_events[REPORTS].extra = {"run_id": credit_run, "companies": steps.score(credit_run)}

    shards = open_run()
    queued = enqueue(shards)
    crawl_shard.expand(shard=shards) >> queued
    ScaleWorkers(task_id="scale_workers", shards=shards, hours="{{ params.hours }}")
    score(RunReadSensor(task_id="wait_until_read", credit_run=queued, timeout_hours="{{ params.hours }}").output)


crawl_companies()
