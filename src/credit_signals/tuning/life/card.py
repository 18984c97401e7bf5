"""The model card of a reader that a life made: what it is of, how it was judged, what it cannot do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from credit_signals.tuning.life.course import Life, figures_of
from credit_signals.tuning.teacher import SPLITS


def write_card(life: Life, figures: dict[str, Any]) -> None:
    """Write the card with these figures of the evaluation. Raises OSError."""
    plan, model, teacher = life.plan, life.plan.model, life.plan.teacher
    dataset, sample = figures_of("dataset", life.folder.path), figures_of("sample", life.folder.path)
    counts = ", ".join(f"{dataset[name]} {name}" for name in SPLITS)
    graded = "each label graded by it, grades below 4 left out" if teacher.grade else "labels not graded"
    lines = [
        f"# Reader {figures['reader_id']}",
        "",
        f"* Base: `{model.base.resolve().name}`; its licence holds for this reader too."
        f" Kind: {model.kind}, adapter of rank {plan.rank}, {plan.epochs:g} epochs, seed {model.seed}.",
        f"* Teacher: `{teacher.model}` at {urlsplit(teacher.endpoint).hostname}; {graded}.",
        f"* Sentences: {counts}; {sample['sentences']} sampled from crawled websites"
        f" (run {plan.sample.run or 'of the day'}), the text of their owners, which is not part of the reader.",
        *(f"* Further labelled sentences: `{path.name}`." for path in (*plan.labels, *plan.tests)),
        f"* Languages: {', '.join(model.languages) or 'all'}; other text is not read.",
        "",
        "| figure on the blind test split | value | 95% interval |",
        "|---|---|---|",
        *(_row(name, figures) for name in ("micro_f1", "macro_f1", "stance_accuracy", "subject_accuracy")),
        *(_row(name, figures) for name in ("false_flag_rate", "calibration_error")),
        "",
        f"{figures['sentences']} sentences of {figures['documents']} documents;"
        f" {figures['cpu_seconds_per_section']:.4g} CPU-seconds per section.",
        "",
        "Limits: where no person labelled the test split, the figures say how well the reader repeats its teacher, and"
        " no more. Codes with few examples are learned badly; evaluation/report.md has each.",
    ]
    life.folder.card.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(name: str, figures: dict[str, Any]) -> str:
    interval = figures["intervals"].get(name)
    return f"| {name} | {figures[name]} | {json.dumps(interval) if interval else ''} |"
