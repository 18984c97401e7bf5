"""Geometry of the half dial on which the gauge is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

WIDTH, HEIGHT = 240, 132
_CENTRE_X, _CENTRE_Y, _RADIUS = 120, 118, 96
_GAP = 0.6  # points between two segments


@dataclass(frozen=True, slots=True)
class Segment:
    """An arc of the dial; `tone` (1 worst to 5 best) picks its colour, `current` marks the one the needle is in."""

    path: str
    tone: int
    current: bool


@dataclass(frozen=True, slots=True)
class Dial:
    """What the template draws."""

    segments: tuple[Segment, ...]
    needle: tuple[float, float, float, float]  # x1, y1, x2, y2


def tone_of(value: int) -> int:
    """1 (worst) to 5 (best): which fifth of the scale a gauge value lies in."""
    return min(5, (value // 20) + 1)


def draw_dial(value: int) -> Dial:
    """The dial with its needle at a value of 1 to 100."""
    segments = tuple(
        Segment(_arc(max(1.0, tone * 20 - 20) + _GAP, min(100.0, tone * 20) - _GAP), tone, tone == tone_of(value))
        for tone in range(1, 6)
    )
    return Dial(segments, (*_point(value, 72), *_point(value, 108)))


def _arc(start: float, end: float) -> str:
    (x1, y1), (x2, y2) = _point(start, _RADIUS), _point(end, _RADIUS)
    return f"M{x1} {y1} A{_RADIUS} {_RADIUS} 0 0 1 {x2} {y2}"


def _point(value: float, radius: float) -> tuple[float, float]:
    angle = pi * (1 - (value - 1) / 99)
    return round(_CENTRE_X + radius * cos(angle), 2), round(_CENTRE_Y - radius * sin(angle), 2)
