"""What a simulation saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sample:
    """A moment: sections that wait or are in work, workers that read or could, workers wished for, nodes."""

    at: float
    backlog: int
    workers: int
    wished: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Span:
    """Some sections with one fate: seconds from put to the last take, and from put to the answer."""

    sections: int
    waited: float
    answered_after: float


@dataclass(slots=True)
class Outcome:
    """Counts in sections, times in seconds. `backlog_area` is the integral of the backlog over time."""

    offered: int = 0
    answered: int = 0
    dead: int = 0
    redelivered: int = 0
    interruptions: int = 0
    last_arrival: float = 0.0
    ended: float = 0.0
    crawl_waited: float = 0.0
    pod_seconds: float = 0.0
    node_seconds: float = 0.0
    busy_seconds: float = 0.0
    backlog_area: float = 0.0
    backlog: int = 0
    peak_backlog: int = 0
    peak_workers: int = 0
    spans: list[Span] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def drain_seconds(self) -> float:
        """From the last arrival to the last answer."""
        return max(0.0, self.ended - self.last_arrival)

    @property
    def mean_wait(self) -> float:
        """Mean seconds from put to the last take."""
        return _mean([(span.waited, span.sections) for span in self.spans])

    @property
    def mean_answer(self) -> float:
        """Mean seconds from put to the answer."""
        return _mean([(span.answered_after, span.sections) for span in self.spans])

    @property
    def mean_backlog(self) -> float:
        """Sections in the system, on average over time."""
        return self.backlog_area / self.ended if self.ended else 0.0

    def answer_percentile(self, share: float) -> float:
        """Seconds from put to answer that `share` (0 to 1) of the sections do not exceed."""
        return weighted_percentile([(span.answered_after, span.sections) for span in self.spans], share)


def _mean(pairs: Sequence[tuple[float, int]]) -> float:
    count = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / count if count else 0.0


def weighted_percentile(pairs: Sequence[tuple[float, int]], share: float) -> float:
    """The least value that `share` of the weights reach; 0 for nothing."""
    wanted = share * sum(weight for _, weight in pairs)
    reached = 0
    for value, weight in sorted(pairs):
        reached += weight
        if reached >= wanted:
            return value
    return 0.0
