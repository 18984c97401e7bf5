"""Which of the listed activities says most."""

from __future__ import annotations

from collections.abc import Iterable

from credit_signals.domain import Activity


def deepest(activities: Iterable[Activity]) -> Activity | None:
    """The most probable of the most detailed codes, or None."""
    return max(activities, key=lambda activity: (_depth(activity.code), activity.probability), default=None)


def _depth(code: str) -> int:
    # a NAICS range such as 31-33 is a sector: two digits deep
    return sum(character.isalnum() for character in code.split("-", maxsplit=1)[0])
