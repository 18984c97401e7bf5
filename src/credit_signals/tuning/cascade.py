"""Tunes a cascade: asks both readers about labelled sentences, draws the cost curve, writes the manifest."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from credit_signals.inference.opening import open_encoder, open_judge
from credit_signals.tuning.cascade_answers import Costs, PairTable, ask_both
from credit_signals.tuning.cascade_bounds import (
    CurvePoint,
    Rules,
    best_point,
    cost_curve,
    fit_blend,
    measure,
    told_apart,
)
from credit_signals.tuning.teacher import LabelledSentence, Split


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """What a cascade may cost, and how sure it must be."""

    budget: float = 1.0  # questions per section of ten sentences
    least_margin: float = 0.1
    seed: int = 1
    most: int = 0  # sentences of a split that are asked about; 0: all


def tune_cascade(
    sentences: Sequence[LabelledSentence], manifests: tuple[Path, Path], out: Path, settings: CascadeSettings
) -> dict[str, Any]:
    """Choose bounds on the validation split and measure them on the test split; gives the figures.

    Writes cascade.json with the curve, cascade.png and, where questions help on the validation split, cascade.toml.
    `manifests` are those of the encoder and of the generative reader. Raises ModelRefused, ReadFailed, OSError.
    """
    tables: dict[Split, tuple[PairTable, Costs]] = {}
    first = open_encoder(manifests[0])
    try:
        second = open_judge(manifests[1])
        try:
            for split in ("validation", "test"):
                tables[split] = ask_both(_sample(sentences, split, settings), first, second)
        finally:
            second.close()
    finally:
        first.close()
    table, costs = tables["validation"]
    blend = fit_blend(table)
    curve = cost_curve(table, costs, blend, settings.least_margin)
    chosen = best_point(curve, settings.budget)
    rules = Rules(chosen.bounds, blend, settings.least_margin)
    test, test_costs = tables["test"]
    alone = measure(test, test_costs, Rules({}, blend, settings.least_margin))
    figures = {
        "settings": asdict(settings),
        "question_seconds": costs.question_seconds,
        "blend": blend.model_dump(),
        "told_apart": {split: told_apart(answers, blend) for split, (answers, _) in tables.items()},
        "sentences": {split: len(answers.gold) for split, (answers, _) in tables.items()},
        "curve": [point.figures() for point in curve],
        "chosen": chosen.figures(),
        "test": {"alone": alone.figures(), "cascade": measure(test, test_costs, rules).figures()},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "cascade.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    draw_curve(curve, chosen, out / "cascade.png")
    if chosen.bounds:
        write_cascade_manifest(out / "cascade.toml", manifests, rules)
    return figures


def _sample(sentences: Sequence[LabelledSentence], split: Split, settings: CascadeSettings) -> list[LabelledSentence]:
    found = [sentence for sentence in sentences if sentence.split(settings.seed) == split]
    if not settings.most or len(found) <= settings.most:
        return found
    return random.Random(settings.seed).sample(found, settings.most)  # noqa: S311  # a sample, not a secret


def draw_curve(curve: Sequence[CurvePoint], chosen: CurvePoint, path: Path) -> None:
    """F1 against CPU time per section, as PNG."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([point.cpu_seconds for point in curve], [point.micro_f1 for point in curve], marker="o")
    axes.plot([chosen.cpu_seconds], [chosen.micro_f1], marker="s", markersize=10, fillstyle="none", color="black")
    axes.set(xlabel="CPU seconds per section", ylabel="micro-F1, validation", title="What questions bring")
    figure.savefig(path, dpi=120)


def write_cascade_manifest(path: Path, manifests: tuple[Path, Path], rules: Rules) -> None:
    """Write the manifest of a cascade. Raises OSError."""
    first, second = (json.dumps(str(manifest.resolve())) for manifest in manifests)
    lines = ['kind = "cascade"', 'version = "1"', f"cheap = {first}", f"second = {second}"]
    lines += [f"least_margin = {rules.least_margin}", "", "[blend]"]
    lines += [f"{name} = {value}" for name, value in rules.blend.model_dump().items()]
    for code, bounds in rules.bounds.items():
        lines += ["", f"[bounds.{code}]", f"lower = {bounds.lower}", f"upper = {bounds.upper}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
