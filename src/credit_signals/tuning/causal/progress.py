"""What a fine-tuning shows while it runs: lines with the time left, and the learning curve, as numbers and drawn."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure  # not pyplot, which would start a display
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

logger = logging.getLogger(__name__)

KEPT = ("loss", "learning_rate", "eval_loss", "eval_mean_token_accuracy")
CURVE = "curve.jsonl"
PICTURE = "curve.svg"


def curve_of(history: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """The learning curve in a trainer's history: step, epoch and whichever figures were taken then."""
    points = [
        {"step": entry["step"], "epoch": round(entry.get("epoch", 0.0), 4)}
        | {name: float(entry[name]) for name in KEPT if name in entry}
        for entry in history
    ]
    return [point for point in points if "loss" in point or "eval_loss" in point]


class ShowProgress(TrainerCallback):  # type: ignore[misc]  # transformers is not there when types are checked
    """Logs each figure with the minutes left, and rewrites the curve, which after a resumption is whole again."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._began = time.monotonic()
        self._first = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self._began, self._first = time.monotonic(), state.global_step

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the curve and a line."""
        write_curve(self._out / CURVE, curve_of(state.log_history))
        done = state.global_step - self._first
        left = (time.monotonic() - self._began) / done * (state.max_steps - state.global_step) / 60 if done else 0.0
        told = ", ".join(f"{name} {value:.4g}" for name in KEPT if (value := (logs or {}).get(name)) is not None)
        if told:
            logger.info("step %d of %d: %s, %.1f min left", state.global_step, state.max_steps, told, left)


def write_curve(path: Path, curve: Sequence[dict[str, float]]) -> None:
    """JSON Lines, one point a line."""
    path.write_text("".join(json.dumps(point) + "\n" for point in curve), encoding="utf-8")


def plot_curve(path: Path, curve: Sequence[dict[str, float]], title: str) -> None:
    """Draw training and validation loss over steps, and the share of right answers, as SVG or PNG by the name."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, label in (("loss", "training"), ("eval_loss", "validation")):
        points = [(point["step"], point[name]) for point in curve if name in point]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker="o" if len(points) == 1 else None)
    axes.set(xlabel="step", ylabel="loss on answers", title=title)
    right = [(p["step"], p["eval_mean_token_accuracy"]) for p in curve if "eval_mean_token_accuracy" in p]
    if right:
        second = axes.twinx()
        second.plot(*zip(*right, strict=True), color="tab:green", linestyle="--", label="right answers (validation)")
        second.set(ylabel="share of right answers", ylim=(0, 1))
        second.legend(loc="lower right")
    axes.legend(loc="upper right")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
