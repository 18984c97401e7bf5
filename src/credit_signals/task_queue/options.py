"""How a queue behaves, whichever broker holds it."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """Limits of a queue. All who share a queue should use the same."""

    max_length: int = 50_000  # entries, in work included, at which `put` waits
    idle_seconds: float = 60.0  # a delivery not renewed for so long belongs to a dead consumer
    max_attempts: int = 5  # deliveries before a task becomes a dead letter
    max_dead: int = 10_000  # dead letters kept; the oldest go first
    forget_seconds: float = 3600.0  # a consumer that holds nothing and was not seen for so long is removed
    retries: int = 8  # of one call while the broker does not answer, with growing pauses: about 10 seconds in all
    timeout_seconds: float = 15.0  # for one answer of the broker

    def __post_init__(self) -> None:
        for name in ("max_length", "max_attempts", "max_dead"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"queue option {name} must be at least 1")
        for name in ("idle_seconds", "forget_seconds", "timeout_seconds"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"queue option {name} must be more than 0")

    @property
    def idle_ms(self) -> int:
        """`idle_seconds` as Redis counts."""
        return max(1, round(self.idle_seconds * 1000))


DEFAULT_OPTIONS = QueueOptions()
