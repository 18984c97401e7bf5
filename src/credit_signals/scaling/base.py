"""The interface of a Deployment of workers, and its twin in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Replicas:
    """`wished`: pods that are asked for. `pods`: those that exist, started or not."""

    wished: int
    pods: int


class WorkerDeployment(Protocol):
    """A Deployment of worker pods.

    Every method raises ScalingRefused when the cluster forbids it or does not know the Deployment, and
    ClusterUnavailable when the cluster does not answer.
    """

    place: str  # namespace/name

    def replicas(self) -> Replicas:
        """The present counts."""

    def owner(self) -> str:
        """What else scales the Deployment, for a person to read; empty when nothing does."""

    def scale(self, wished: int) -> None:
        """Ask for this many pods. Raises ScaleConflict when others change the Deployment again and again."""


@dataclass(slots=True)
class MemoryDeployment:
    """A Deployment whose pods start at once; `history` keeps every wish."""

    place: str = "memory/workers"
    wished: int = 1
    owned_by: str = ""
    history: list[int] = field(default_factory=list)

    def replicas(self) -> Replicas:
        """The present counts."""
        return Replicas(self.wished, self.wished)

    def owner(self) -> str:
        """What `owned_by` says."""
        return self.owned_by

    def scale(self, wished: int) -> None:
        """Keep the wish."""
        self.wished = wished
        self.history.append(wished)
