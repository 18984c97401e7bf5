"""What is simulated: arrivals, workers, the cluster that they run on, and the services that they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from credit_signals.errors import ConfigurationError
from credit_signals.scaling.sizing import SizingRule


@dataclass(frozen=True, slots=True)
class Arrival:
    """Sections that the crawl puts on the queue at a moment (seconds from the start)."""

    at: float
    sections: int


@dataclass(frozen=True, slots=True)
class PodModel:
    """How one worker reads: a batch of n sections takes `batch_seconds + n * section_seconds` on average.

    `variation` is the standard deviation of a batch's time divided by its mean (gamma distributed): 0 for always the
    same, 1 for exponential. Raises ConfigurationError for a worker that reads nothing or needs no time.
    """

    section_seconds: float
    batch_seconds: float = 0.0
    batch: int = 16
    variation: float = 0.0

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigurationError(f"a worker takes at least 1 section at once, not {self.batch}")
        if min(self.section_seconds, self.batch_seconds, self.variation) < 0 or self.full_batch_seconds <= 0:
            raise ConfigurationError(
                "reading takes time: seconds per section and per batch cannot be negative or both 0"
            )

    @property
    def full_batch_seconds(self) -> float:
        """Mean time of a full batch."""
        return self.batch_seconds + self.batch * self.section_seconds

    @property
    def mean_section_seconds(self) -> float:
        """Mean time per section in full batches."""
        return self.full_batch_seconds / self.batch


@dataclass(frozen=True, slots=True)
class Cluster:
    """Who starts and ends workers. Times in seconds.

    `workers` run from the start. With a `rule` their number is looked at every `look_seconds`, as the task
    scale_workers does: while sites are crawled, `answer_within` is left, and a queue near its bound asks for more
    workers; from then on what is left of it counts. Without a rule the number stays. `node_seconds` until a new node
    takes pods, `pod_seconds` from there to the first section (image, model). `interruptions` per node and hour: the
    node goes after `notice_seconds`, or, in `without_notice` of the cases (0 to 1), at once.
    """

    workers: int = 1
    rule: SizingRule | None = None
    answer_within: float = math.inf
    look_seconds: float = 60.0
    node_seconds: float = 0.0
    pod_seconds: float = 0.0
    pods_per_node: int = 2
    interruptions: float = 0.0
    notice_seconds: float = 120.0
    without_notice: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 0 or self.pods_per_node < 1 or self.look_seconds <= 0:
            raise ConfigurationError(
                "a cluster needs workers >= 0, pods per node >= 1 and a positive time between looks"
            )
        if not 0 <= self.without_notice <= 1 or min(self.interruptions, self.node_seconds, self.pod_seconds) < 0:
            raise ConfigurationError("interruptions, their share without notice and start times cannot be negative")


@dataclass(frozen=True, slots=True)
class Services:
    """What workers and crawl share.

    `queue_length`: sections, in work included, at which the crawl waits. `idle_seconds`: until others take what a dead
    worker held; `attempts`: deliveries until a section is a dead letter. `redis_seconds` of Redis's one thread per
    section from put to acknowledge. `store_seconds` of one of `store_lanes` writers per section saved.
    """

    queue_length: int = 50_000
    idle_seconds: float = 60.0
    attempts: int = 5
    redis_seconds: float = 0.0
    store_seconds: float = 0.0
    store_lanes: int = 1

    def __post_init__(self) -> None:
        if min(self.queue_length, self.attempts, self.store_lanes) < 1:
            raise ConfigurationError("queue length, attempts and store writers are at least 1")
        if min(self.idle_seconds, self.redis_seconds, self.store_seconds) < 0:
            raise ConfigurationError("times of queue and store cannot be negative")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulation. `arrivals` in the order of time; it ends when all is answered, or after `horizon` seconds."""

    arrivals: Sequence[Arrival]
    pods: PodModel
    cluster: Cluster = Cluster()
    services: Services = Services()
    horizon: float = math.inf
    sample_seconds: float = 60.0
    seed: int = 1

    def __post_init__(self) -> None:
        if any(later.at < earlier.at for earlier, later in zip(self.arrivals, self.arrivals[1:], strict=False)):
            raise ConfigurationError("arrivals must be in the order of time")
        if any(arrival.sections < 1 or arrival.at < 0 for arrival in self.arrivals):
            raise ConfigurationError("an arrival has at least 1 section, and comes at 0 or later")
