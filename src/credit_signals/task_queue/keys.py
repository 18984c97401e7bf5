"""Every Redis name that the product uses.

The part in braces is a cluster hash tag: all keys of one kind of worker lie in one slot, so that a script may touch
them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from credit_signals.errors import ConfigurationError

GROUP = "readers"  # the consumer group on every task stream

FIELD_VERSION = b"v"
FIELD_TASK = b"task"
FIELD_TRACE = b"trace"  # W3C traceparent of the span that queued it; most entries have none
FIELD_REASON = b"reason"
FIELD_ATTEMPTS = b"attempts"


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """The keys of one kind of worker, such as `section_reader`. Raises ConfigurationError for another kind of name."""

    kind: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_.-]{1,64}", self.kind):
            raise ConfigurationError(f"{self.kind!r} cannot name a kind of worker: use a-z, 0-9, '_', '.' and '-'")

    @property
    def tasks(self) -> str:
        """Stream of tasks that wait or are being read."""
        return f"cs:{{{self.kind}}}:tasks"

    @property
    def dead(self) -> str:
        """Stream of tasks that failed for good."""
        return f"cs:{{{self.kind}}}:dead"
