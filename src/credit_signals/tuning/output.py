"""What tune commands print."""

from __future__ import annotations

import json
from typing import Any

import typer


def print_figures(figures: dict[str, Any]) -> None:
    """Figures as JSON on standard output."""
    typer.echo(json.dumps(figures, indent=1, ensure_ascii=False))
