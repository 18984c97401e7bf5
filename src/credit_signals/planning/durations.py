"""Durations as people write them: 7d, 12h, 90m, 30s, 1d12h."""

from __future__ import annotations

import re

from credit_signals.errors import ConfigurationError

SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
NUMBER = r"(\d+(?:\.\d+)?)"
DURATION = re.compile("".join(f"(?:{NUMBER}{unit})?" for unit in SECONDS))
LONGEST = 100 * 366 * 86_400


def parse_duration(text: str) -> float:
    """Seconds of a duration; units in falling order, each once. Raises ConfigurationError."""
    found = DURATION.fullmatch(text.strip().lower())
    counts = found.groups(default="0") if found else ()
    seconds = sum(float(count) * each for count, each in zip(counts, SECONDS.values(), strict=False))
    if not 0 < seconds <= LONGEST:
        raise ConfigurationError(f"{text!r} is no duration: write 7d, 12h, 90m, 30s or 1d12h")
    return seconds


def show_duration(seconds: float) -> str:
    """A duration for people, with the two largest units that count."""
    parts, left = [], round(seconds)
    for unit in "dhms":
        count, left = divmod(left, SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or f"{seconds:.2g}s"
