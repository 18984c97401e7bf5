"""JSON Lines: one object a line, checked by a model; whoever wrote a wrong line is told which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from credit_signals.errors import ConfigurationError

Line = TypeVar("Line", bound=BaseModel)


def read_text(path: Path) -> str:
    """A file of text. Raises ConfigurationError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc}") from exc


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, with their numbers from 1. Raises ConfigurationError."""
    lines = read_text(path).split("\n")  # not splitlines: text may hold U+2028
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def read_lines(path: Path, kind: type[Line], what: str) -> Iterator[tuple[int, Line]]:
    """Lines of one kind, with their numbers. Raises ConfigurationError naming the line that is not `what`: "a chat"."""
    for number, line in numbered_lines(path):
        yield number, parse_line(f"{path}, line {number}", line, kind, what)


def parse_line(where: str, line: str, kind: type[Line], what: str) -> Line:
    """One line. Raises ConfigurationError, which does not repeat the line: it may be somebody's text."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        wrong = " ".join([".".join(map(str, first["loc"])), first["msg"]]).strip()
        raise ConfigurationError(f"{where}: not {what}: {wrong}") from exc
