"""The task beside crawl and wait that gives a run its workers, and takes them away when it is read.

It takes no worker slot: the looks happen in the triggerer, as those of `run_read_sensor`. Scaling is a help, never a
condition: whatever goes wrong here, the run goes on with the workers that it has.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from credit_signals.steps import WorkerScaling

LAST_TASK = "score"
ENDED = ["success", "failed", "upstream_failed", "skipped", "removed"]
AHEAD = 100  # its moment on a worker comes before the crawl takes every slot for hours
FIRST_LOOK_SECONDS = 5.0
LOG_EVERY_SECONDS = 600.0


class WorkerScalingTrigger(BaseTrigger):
    """Sizes the workers for a run every `poll_seconds`, until the run's last task has ended or its time is up.

    `credit_run`: the product's id of the run; `dag_run`: the DAG's id and Airflow's id of the run; `hours` and `since`:
    see `credit_signals.steps.WorkerScaling`.
    """

    def __init__(
        self, credit_run: str, dag_run: Sequence[str], hours: float, since: float, poll_seconds: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.credit_run, self.dag_run = credit_run, dag_run
        self.hours, self.since, self.poll_seconds = hours, since, poll_seconds
        self._logged, self._log_at = "", 0.0

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to go on with the same deadline."""
        values = {name: getattr(self, name) for name in ("credit_run", "dag_run", "hours", "since", "poll_seconds")}
        return f"{type(self).__module__}.{type(self).__qualname__}", values

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: what was seen last."""
        from credit_signals import steps

        scaling = steps.WorkerScaling(self.credit_run, self.hours, self.since)
        try:
            # a task that resumes before Airflow has noted that it paused is taken for one that went astray
            await asyncio.sleep(min(FIRST_LOOK_SECONDS, self.poll_seconds))
            while True:
                seen = await self._look(scaling)
                over = seen.get("seconds_left", 1) <= 0 or await self._last_task_ended()
                if over:
                    seen = await self._look(scaling, over=True)
                    yield TriggerEvent(seen)  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
                    return
                await asyncio.sleep(self.poll_seconds)
        finally:
            scaling.close()

    async def _look(self, scaling: WorkerScaling, over: bool = False) -> dict[str, Any]:
        try:
            seen = await asyncio.to_thread(scaling.look, over)
        except Exception as error:  # a door: what nobody thought of is logged, and the run goes on
            self.log.exception("run %s: workers were not scaled", self.credit_run)
            seen = {"trouble": repr(error)}
        line = seen.get("trouble") or seen["line"]
        if line != self._logged or time.monotonic() >= self._log_at:
            self.log.log(logging.WARNING if "trouble" in seen else logging.INFO, "run %s: %s", self.credit_run, line)
            self._logged, self._log_at = line, time.monotonic() + LOG_EVERY_SECONDS
        return seen

    async def _last_task_ended(self) -> bool:
        """Whether nobody waits for the run any more, be it scored, or never to be read because its crawl failed."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        dag_id, run_id = self.dag_run
        try:
            ended = await sync_to_async(RuntimeTaskInstance.get_ti_count)(
                dag_id=dag_id, task_ids=[LAST_TASK], run_ids=[run_id], states=ENDED
            )
        except Exception as error:  # a door, as above: the next look asks again
            self.log.warning("run %s: Airflow does not say how far it is: %r", self.credit_run, error)
            return False
        return bool(ended)


class ScaleWorkers(BaseOperator):
    """Gives a run as many workers as its deadline asks for; is skipped, saying why, where it cannot or may not.

    `shards`: what `open_run` returns. `hours` (Jinja allowed): how long readers may take once all sites are crawled.
    """

    template_fields: Sequence[str] = ("shards", "hours")

    def __init__(self, *, shards: Any, hours: Any = 24, **kwargs: Any) -> None:
        super().__init__(priority_weight=AHEAD, **kwargs)
        self.shards, self.hours = shards, hours

    def execute(self, context: Any) -> None:
        """Hand over to the trigger, unless there is nothing to scale."""
        if not self.shards:
            raise AirflowSkipException("no company is due, so nobody has to read")
        try:
            reason, poll_seconds = self._why_not()
        except Exception as error:  # a door: the run goes on, scaled or not
            self.log.exception("workers are not scaled")
            reason, poll_seconds = repr(error), 0.0
        if reason:
            raise AirflowSkipException(f"workers are not scaled from here: {reason}")
        run = context["dag_run"]
        trigger = WorkerScalingTrigger(
            credit_run=self.shards[0]["run_id"],
            dag_run=[run.dag_id, run.run_id],
            hours=float(self.hours),
            since=time.time(),
            poll_seconds=poll_seconds,
        )
        self.defer(trigger=trigger, method_name="finished")

    def _why_not(self) -> tuple[str, float]:
        from credit_signals import settings

        chosen = settings.load()
        if not chosen.scale_deployment:  # asked before the import of everything else, for those without a cluster
            return "no cluster is configured (CREDIT_SIGNALS_SCALE_DEPLOYMENT is empty)", 0.0
        from credit_signals import steps

        return steps.why_not_scaled(), chosen.scale_look_seconds

    def finished(self, context: Any, event: dict[str, Any]) -> str:
        """One line that says how it ended; skipped where the last look failed."""
        if "trouble" in event:
            raise AirflowSkipException(f"workers were not scaled at last: {event['trouble']}")
        return str(event["line"])
