"""What tune commands print, and under which heads their help stands, in the order of a reader's life."""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

OWN_TEXTS = Path("workers/section_reader/training")  # sentences and phrases that the project wrote


class Panel(StrEnum):
    """The heads, from first to last."""

    DATA = "Data"
    LABELS = "Labels"
    TRAINING = "Training"
    FILES = "Files that are served"
    CHOOSING = "Measuring and choosing"
    WHOLE_LIFE = "All of it"


def print_figures(figures: dict[str, Any]) -> None:
    """Figures as JSON on standard output."""
    typer.echo(json.dumps(figures, indent=1, ensure_ascii=False))


def show_progress() -> None:
    """What long work says of itself, on standard error, without a line for each request."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
