"""The shape in which both kinds of list hand over their lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINE = 65_536
"""Characters of one line; longer ones are refused."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. With a `problem` the line is refused and `values` are empty."""

    line: int
    values: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Column names as they came, and the rows, read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
