"""The one wait of the system: until every section of a run is read, or dead with a reason.

It takes no worker slot: the look at store and queue happens in the triggerer, which must be able to import this
module, so this folder is Airflow's plugins folder (AIRFLOW__CORE__PLUGINS_FOLDER).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from credit_signals.wiring import Parts

LOG_EVERY_SECONDS = 30.0


class RunReadTrigger(BaseTrigger):
    """Looks at a run every `poll_seconds` until it is read or `deadline` (seconds since 1970) has passed."""

    def __init__(self, credit_run: str, deadline: float, poll_seconds: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
        self.credit_run, self.deadline, self.poll_seconds = credit_run, deadline, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to go on with the same deadline."""
        values = {"credit_run": self.credit_run, "deadline": self.deadline, "poll_seconds": self.poll_seconds}
        return f"{type(self).__module__}.{type(self).__qualname__}", values

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: the final counts, or what is known when the time is up."""
        window, log_at = RunWindow(self.credit_run), 0.0
        try:
            while True:
                seen = await asyncio.to_thread(window.look)
                if time.monotonic() >= log_at:
                    self.log.info("run %s: %s", self.credit_run, seen)
                    log_at = time.monotonic() + LOG_EVERY_SECONDS
                if seen.get("unread") == 0 or time.time() >= self.deadline:
                    yield TriggerEvent(seen)  # type: ignore[no-untyped-call]  # Airflow leaves it untyped
                    return
                await asyncio.sleep(self.poll_seconds)
        finally:
            window.close()


class RunWindow:
    """A view of one run; store and queue are opened at the first look."""

    def __init__(self, credit_run: str) -> None:
        self.credit_run = credit_run
        self._opened = ExitStack()
        self._parts: Parts | None = None

    def look(self) -> dict[str, Any]:
        """Counts of the run, or `trouble` when store or queue do not answer just now."""
        from credit_signals import pipeline, settings, wiring
        from credit_signals.errors import QueueUnavailable, StoreUnavailable

        try:
            if self._parts is None:
                self._parts = self._opened.enter_context(wiring.opened(settings.load()))
            progress = pipeline.settle(self.credit_run, self._parts.store, self._parts.queue)
        except (QueueUnavailable, StoreUnavailable) as error:
            return {"trouble": str(error)}
        return {"tasks": progress.tasks, "read": progress.read, "dead": progress.dead, "unread": progress.unread}

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()


class RunReadSensor(BaseSensorOperator):
    """Waits until the run is read; fails without retry after `timeout_hours` (Jinja allowed) and says what is left."""

    template_fields: Sequence[str] = ("credit_run", "timeout_hours")

    def __init__(self, *, credit_run: Any, timeout_hours: Any = 24, poll_seconds: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.credit_run, self.timeout_hours, self.poll_seconds = credit_run, timeout_hours, poll_seconds

    def execute(self, context: Any) -> None:
        """Hand over to the trigger."""
        deadline = time.time() + float(self.timeout_hours) * 3600
        trigger = RunReadTrigger(str(self.credit_run), deadline, self.poll_seconds)
        self.defer(trigger=trigger, method_name="finished")

    def finished(self, context: Any, event: dict[str, Any]) -> str:
        """The run's id, for the task that scores it."""
        self.log.info("run %s: %s", self.credit_run, event)
        if event.get("unread") == 0:
            return str(self.credit_run)
        left = event.get("trouble") or f"{event['unread']} of {event['tasks']} sections are unread"
        raise AirflowFailException(
            f"run {self.credit_run} was not read within {float(self.timeout_hours):g} hours: {left}. "
            "Are reader workers running? Clear this task to wait again; what is read stays read."
        )
