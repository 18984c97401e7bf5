"""Each step leaves a stamp of what it took and made, and is passed over while both are the same."""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.domain import now
from credit_signals.errors import CreditSignalsError, StepFailed
from credit_signals.inference.model_file import file_hash
from credit_signals.tuning.dataset.rows import write_figures
from credit_signals.tuning.life.plan import Folder, Plan
from credit_signals.tuning.life.tools import Tools

logger = logging.getLogger(__name__)

Figures = dict[str, Any]  # `line` is what a person is told


@dataclass(frozen=True, slots=True)
class Life:
    """A plan, its folder and its tools."""

    plan: Plan
    folder: Folder
    tools: Tools


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a life.

    `takes` gives what its result depends on: files, folders (the files in them), and words. `makes` gives its files.
    """

    name: str
    work: Callable[[Life], Figures]
    takes: Callable[[Life], Iterable[Path | str]]
    makes: Callable[[Life], Iterable[Path]]


def run_step(step: Step, life: Life) -> Figures:
    """Do a step, or find it done; gives its figures. Raises StepFailed naming the step."""
    try:
        taken = _digest(step.takes(life))
        done = _stamp(step, life)
        if done and done["takes"] == taken and _whole(done["makes"], life.folder.path):
            logger.info("%s: done before: %s", step.name, done["figures"]["line"])
            return dict(done["figures"])
        logger.info("%s: begins", step.name)
        started = time.monotonic()
        figures = step.work(life)
    except ModuleNotFoundError as exc:
        reason = f"it needs the extra `tune`: {exc.name} is not installed for {sys.executable}"
        raise StepFailed(step.name, reason, str(life.folder.path)) from exc
    except (CreditSignalsError, OSError) as exc:
        raise StepFailed(step.name, str(exc), str(life.folder.path)) from exc
    seconds = round(time.monotonic() - started, 1)
    makes = {_name(path, life.folder.path): file_hash(path) for path in step.makes(life)}
    stamp = {"step": step.name, "at": now().isoformat(), "seconds": seconds, "takes": taken, "makes": makes}
    _stamp_path(step, life).parent.mkdir(exist_ok=True)
    write_figures(_stamp_path(step, life), {**stamp, "figures": figures})
    logger.info("%s: %s (%.1f s)", step.name, figures["line"], seconds)
    return figures


def _stamp_path(step: Step, life: Life) -> Path:
    return life.folder.path / "steps" / f"{step.name}.json"


def _stamp(step: Step, life: Life) -> dict[str, Any] | None:
    try:
        stamp: dict[str, Any] = json.loads(_stamp_path(step, life).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # never done, or cut short while it was written
        return None
    return stamp


def figures_of(name: str, folder: Path) -> Figures:
    """What a finished step found. Raises OSError, ValueError where it is not finished."""
    stamp = json.loads((folder / "steps" / f"{name}.json").read_text(encoding="utf-8"))
    return dict(stamp["figures"])


def _whole(makes: dict[str, str], folder: Path) -> bool:
    """Whether every file is there as it was made."""
    return all((folder / name).is_file() and file_hash(folder / name) == digest for name, digest in makes.items())


def _name(path: Path, folder: Path) -> str:
    """Relative to the folder, so that it can be moved; files elsewhere keep their whole path."""
    full = path.resolve()
    return str(full.relative_to(folder.resolve()) if full.is_relative_to(folder.resolve()) else full)


def _digest(parts: Iterable[Path | str]) -> str:
    """A hash of words and of the contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        files = [part] if not isinstance(part, Path) or part.is_file() else sorted(filter(Path.is_file, part.iterdir()))
        for each in files:
            told = f"{each.name} {file_hash(each)}" if isinstance(each, Path) else each
            digest.update(f"{len(told)} {told}".encode())
    return digest.hexdigest()
