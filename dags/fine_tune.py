"""Sentences of crawled websites -> labelled by a larger model -> a reader trained, measured, promoted if it is better.

A reader that is refused leaves the run green and the task `promote` skipped, with the reason in its log and in
`credit-signals readers history`. A cleared task goes on where it was. The text of the sentences goes to the endpoint.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from tune_form import FORM


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
    params=FORM,
    tags=["credit-signals"],
    doc_md=__doc__,
)
def fine_tune() -> None:
    """The order of the tasks; their work is `credit_signals.steps`."""

    @task
    def plan(params: Any = None, dag_run: Any = None) -> str:
        from credit_signals import steps

        return steps.open_life(params, run_id=re.sub(r"[^\w.-]", "-", dag_run.run_id))

    @task
    def live(step: str, folder: str) -> dict[str, Any]:
        from credit_signals import steps

        return steps.live(step, folder)

    @task
    def promote(folder: str) -> dict[str, Any]:
        from credit_signals import steps

        figures = steps.live("promote", folder)
        if figures["outcome"] == "refused":
            raise AirflowSkipException(figures["line"])
        return figures

    before: Any = None
    folder: Any = plan()
    for name in ("sample", "label", "grade", "dataset", "train", "export", "evaluate"):
        step = live.override(task_id=name)(name, folder)
        before = before >> step if before else step
    before >> promote(folder)


fine_tune()
