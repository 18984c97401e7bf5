"""How a run gets as many workers as it needs: one look at store, queue and cluster, and at most one wish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from credit_signals.domain import now
from credit_signals.errors import ScalingRefused
from credit_signals.scaling import Demand, Look, Pace, Replicas, SizingRule, WorkerDeployment, choose_replicas, explain
from credit_signals.store.base import ResultsStore, RunProgress
from credit_signals.task_queue.base import QueueStatus, TaskQueue


@dataclass(frozen=True, slots=True)
class ScaleLook:
    """What a look saw and did.

    `crawled`: all sites of the run are. `backlog`: the queue's, all runs together. `seconds_left`: of the time for
    reading, all of it while sites are still crawled. `line`: the choice and its reason.
    """

    crawled: bool
    unread: int
    backlog: int
    replicas: int
    service_seconds: float
    seconds_left: float
    line: str


@dataclass(frozen=True, slots=True)
class ReadingTime:
    """How long readers may take for a run: from when its last site was crawled, or from `since` where that is later."""

    seconds: float
    since: datetime

    def left(self, progress: RunProgress) -> float:
        """Seconds that are left; all of them while sites are still crawled."""
        if progress.crawled < progress.companies or progress.last_crawl is None:
            return self.seconds
        return self.seconds - (now() - max(progress.last_crawl, self.since)).total_seconds()


class ScaleTools(NamedTuple):
    """What scaling looks at and acts on. `full_at`: the queue's length at which crawling waits."""

    store: ResultsStore
    queue: TaskQueue
    deployment: WorkerDeployment
    rule: SizingRule
    full_at: int = 0


class WorkerScaler:
    """Sizes the workers for one run; how long a section takes is measured from look to look, a guess at first."""

    def __init__(
        self, run_id: str, tools: ScaleTools, service_seconds: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._run_id, self._tools, self._clock = run_id, tools, clock
        self._pace = Pace(service_seconds)

    def look(self, time: ReadingTime, over: bool = False) -> ScaleLook:
        """Look, and wish for other replicas where the rule chooses others.

        `over`: the run ends now, read or not. Then nothing more comes, and no worker is added that nobody would take
        away; what waits, of other runs too, keeps the workers that it needs.
        Raises ScalingRefused, also where something else scales the Deployment, ClusterUnavailable, QueueUnavailable,
        StoreUnavailable: then nothing was changed.
        """
        store, queue, deployment, rule, full_at = self._tools
        progress, status, present = store.progress(self._run_id), queue.status(), deployment.replicas()
        self._pace.see(self._what_is_answered(progress, status, present))
        crawled = progress.crawled >= progress.companies
        demand = Demand(
            backlog=status.length,
            service_seconds=self._pace.service_seconds,
            seconds_left=time.left(progress),
            replicas=present.wished,
            more_to_come=not (crawled or over),
            full_at=full_at,
        )
        chosen, line = choose_replicas(rule, demand), explain(rule, demand)
        if over and chosen > max(present.wished, rule.floor):
            chosen, line = present.wished, f"{present.wished} stay: the run is over, and {status.length} sections wait"
        if chosen != present.wished:
            scale(deployment, chosen)
        return ScaleLook(
            crawled, progress.unread, status.length, chosen, demand.service_seconds, demand.seconds_left, line
        )

    def _what_is_answered(self, progress: RunProgress, status: QueueStatus, present: Replicas) -> Look:
        """The run's sections that workers answered; those of other runs are not counted.

        So a look counts as busy only while the run's own sections are most of the queue.
        """
        queued = self._tools.store.queued_count(self._run_id)
        return Look(
            at=self._clock(),
            answered=queued - progress.unread,
            workers=min(present.pods, status.consumers),  # a pod that starts reads nothing yet
            busy=status.lag > 0 and progress.unread * 2 >= status.length,
        )


def scale(deployment: WorkerDeployment, wished: int) -> None:
    """Wish for replicas, unless something else scales the Deployment: two of them would work against each other.

    Raises ScalingRefused, ClusterUnavailable.
    """
    owner = deployment.owner()
    if owner:
        raise ScalingRefused(f"{deployment.place} is scaled by {owner}, so nothing else may scale it")
    deployment.scale(wished)
