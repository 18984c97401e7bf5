"""The figures that a plan is calculated from: each with its unit, where it is from, and how sure it is."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import resources

from credit_signals.errors import ConfigurationError


class Origin(StrEnum):
    """How a figure came to be."""

    MEASURED = "measured"  # with this software, by the command in `how`
    CITED = "cited"  # published by others, at the address in `how`
    ASSUMED = "assumed"  # nobody has measured it for this use; `how` says why this value
    CHOSEN = "chosen"  # a decision of whoever runs the system
    GIVEN = "given"  # on the command line


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in `unit`. `low` and `high`: the least and most of the repetitions, or of what is plausible."""

    name: str
    value: float
    unit: str
    origin: Origin
    how: str
    low: float
    high: float


class Figures(Mapping[str, float]):
    """Figures by name, as numbers; `figure(name)` gives all of one. Raises ConfigurationError for unknown names."""

    def __init__(self, figures: Mapping[str, Figure]) -> None:
        self._figures = dict(figures)

    def __getitem__(self, name: str) -> float:
        return self.figure(name).value

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def figure(self, name: str) -> Figure:
        """One figure. Raises ConfigurationError naming it, and those that are called like it."""
        try:
            return self._figures[name]
        except KeyError:
            like = [each for each in self._figures if set(name.split("_")) & set(each.split("_"))]
            hint = f"; there are {', '.join(sorted(like))}" if like else ""
            raise ConfigurationError(f"no figure is called {name!r}{hint}") from None

    def given(self, values: Mapping[str, float]) -> Figures:
        """The same with other values for some. Raises ConfigurationError for a name or value that cannot be."""
        changed = dict(self._figures)
        for name, value in values.items():
            old = self.figure(name)
            if not math.isfinite(value) or value < 0:
                raise ConfigurationError(f"figure {name} cannot be {value}")
            if old.unit == "share" and value > 1:
                raise ConfigurationError(f"figure {name} is a share: 0 to 1, not {value:g}")
            changed[name] = replace(old, value=value, origin=Origin.GIVEN, how="given", low=value, high=value)
        return Figures(changed)


def load_figures() -> Figures:
    """The figures of figures.toml, which lies beside this module. Raises ConfigurationError for a broken file."""
    text = resources.files("credit_signals.planning").joinpath("figures.toml").read_text("utf-8")
    return read_figures(text)


def read_figures(text: str) -> Figures:
    """Figures from TOML: a table of `value`, `unit`, `origin`, `how` and perhaps `low` and `high` for each name."""
    figures = {}
    for name, table in tomllib.loads(text).items():
        try:
            value = float(table["value"])
            low, high = float(table.get("low", value)), float(table.get("high", value))
            figure = Figure(name, value, table["unit"], Origin(table["origin"]), table["how"], low, high)
        except (KeyError, TypeError, ValueError) as exc:
            raise ConfigurationError(f"figure {name} needs value, unit, origin and how: {exc}") from exc
        if not figure.how or not low <= value <= high:
            raise ConfigurationError(f"figure {name}: `how` is empty, or {value:g} is not between {low:g} and {high:g}")
        figures[name] = figure
    return Figures(figures)


def parse_given(pairs: list[str]) -> dict[str, float]:
    """Values of `name=value` pairs. Raises ConfigurationError."""
    values = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        try:
            values[name.strip()] = float(value.strip().replace("_", ""))
        except ValueError as exc:
            raise ConfigurationError(f"{pair!r} gives no figure: write name=value, with a number") from exc
        if not sign or not name.strip():
            raise ConfigurationError(f"{pair!r} gives no figure: write name=value")
    return values
