"""What must not grow for ever: dead letters purged, old runs and archive files deleted, idle workers released."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

KEEP_DAYS = Param(90, type="integer", minimum=1, title="Runs", description="Days to keep runs and archive files")
KEEP_DEAD_DAYS = Param(14, type="integer", minimum=1, title="Dead letters", description="Days to keep dead letters")


@dag(
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={"keep_days": KEEP_DAYS, "keep_dead_days": KEEP_DEAD_DAYS},
    tags=["credit-signals"],
    doc_md=__doc__,
)
def keep_house() -> None:
    """The order of the tasks; their work is `credit_signals.steps`."""

    @task
    def report_dead_letters() -> int:
        from credit_signals import steps

        return steps.report_dead_letters()

    @task
    def remove_the_old(params: Any = None) -> dict[str, int]:
        from credit_signals import steps

        return steps.keep_house(params["keep_days"], params["keep_dead_days"])

    @task
    def release_workers() -> str:
        from credit_signals import steps

        return steps.release_workers()

    report_dead_letters() >> remove_the_old()
    release_workers()


keep_house()
