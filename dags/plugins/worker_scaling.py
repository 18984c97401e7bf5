"""The task beside crawl and wait that gives a run its workers, and takes them away when it is read.

It takes no worker slot: the looks happen in the triggerer, as those of `run_read_sensor`. Scaling is a help, never a
condition: whatever goes wrong here, the run goes on with the workers that it has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from credit_signals.steps import WorkerScaling

LAST_TASK = "score"  # when it has ended, well or not, nothing more is read for the run
ENDED = ["success", "failed", "upstream_failed", "skipped", "removed"]
LOG_EVERY_SECONDS = 600.0


class WorkerScalingTrigger(BaseTrigger):
    """Sizes the workers for a run every `poll_seconds`.

    `credit_run`: the product's id of the run; `dag_run`: the DAG's id and Airflow's id of the run. While sites are
    crawled, all of `hours` counts as left, and the first event says that they are crawled; a trigger with a `deadline`
    (seconds since 1970) goes on until the run is read or over. `service_seconds`: what was measured so far.
    """

    def __init__(
        self,
        credit_run: str,
        dag_run: Sequence[str],
        hours: float,
        poll_seconds: float,
        deadline: float | None = None,
        service_seconds: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.credit_run, self.dag_run = credit_run, dag_run
        self.hours, self.poll_seconds = hours, poll_seconds
        self.deadline, self.service_seconds = deadline, service_seconds
        self._logged, self._log_at = "", 0.0

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to go on with the same deadline."""
        names = ("credit_run", "dag_run", "hours", "poll_seconds", "deadline", "service_seconds")
        values = {name: getattr(self, name) for name in names}
        return f"{type(self).__module__}.{type(self).__qualname__}", values

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: what was seen last."""
        from credit_signals import steps

        scaling = steps.WorkerScaling(self.credit_run, self.service_seconds)
        try:
            while True:
                seen = await self._look(scaling)
                over = await self._over()
                if over:
                    seen = await self._look(scaling, over=True)
                phase_ends = self.deadline is None and seen.get("crawled")
                if over or phase_ends or seen.get("read"):
                    yield TriggerEvent({**seen, "over": over})  # type: ignore[no-untyped-call]  # as above
                    return
                await asyncio.sleep(self.poll_seconds)
        finally:
            scaling.close()

    async def _look(self, scaling: WorkerScaling, over: bool = False) -> dict[str, Any]:
        left = self.hours * 3600 if self.deadline is None else self.deadline - time.time()
        try:
            seen = await asyncio.to_thread(scaling.look, left, over)
        except Exception as error:  # a door: what nobody thought of is logged, and the run goes on
            self.log.exception("run %s: workers were not scaled", self.credit_run)
            seen = {"trouble": repr(error)}
        self._tell(seen)
        return seen

    async def _over(self) -> bool:
        """Whether the time is up, or the last task of the run has ended: a crawl that failed is read by nobody."""
        if self.deadline is not None and time.time() >= self.deadline:
            return True
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

    def _tell(self, seen: dict[str, Any]) -> None:
        trouble = seen.get("trouble")
        line = trouble or seen["line"]
        if line == self._logged and time.monotonic() < self._log_at:
            return
        self.log.log(30 if trouble else 20, "run %s: %s", self.credit_run, line)
        self._logged, self._log_at = line, time.monotonic() + LOG_EVERY_SECONDS


class ScaleWorkers(BaseOperator):
    """Gives a run as many workers as its deadline asks for; is skipped, saying why, where it cannot or may not.

    `shards`: what `open_run` returns. `hours` (Jinja allowed): how long readers may take once all sites are crawled.
    """

    template_fields: Sequence[str] = ("shards", "hours")

    def __init__(self, *, shards: Any, hours: Any = 24, poll_seconds: float = 30.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shards, self.hours, self.poll_seconds = shards, hours, poll_seconds

    def execute(self, context: Any) -> None:
        """Hand over to the trigger, unless there is nothing to scale."""
        from credit_signals import steps

        if not self.shards:
            raise AirflowSkipException("no company is due, so nobody has to read")
        try:
            reason = steps.why_not_scaled()
        except Exception as error:  # a door: the run goes on, scaled or not
            self.log.exception("workers are not scaled")
            reason = repr(error)
        if reason:
            raise AirflowSkipException(f"workers are not scaled from here: {reason}")
        self._defer(context)

    def resumed(self, context: Any, event: dict[str, Any]) -> str:
        """Go on with a deadline when all sites are crawled; at the end, one line that says how it ended."""
        if event.get("crawled") and not (event["read"] or event["over"]):
            self._defer(context, time.time() + float(self.hours) * 3600, event["service_seconds"])
        if "trouble" in event:
            raise AirflowSkipException(f"workers were not scaled at last: {event['trouble']}")
        return str(event["line"])

    def _defer(self, context: Any, deadline: float | None = None, service_seconds: float | None = None) -> None:
        run = context["dag_run"]
        self.defer(
            trigger=WorkerScalingTrigger(
                credit_run=self.shards[0]["run_id"],
                dag_run=[run.dag_id, run.run_id],
                hours=float(self.hours),
                poll_seconds=self.poll_seconds,
                deadline=deadline,
                service_seconds=service_seconds,
            ),
            method_name="resumed",
        )
