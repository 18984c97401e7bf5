"""What the parity gate found, in Markdown."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from credit_signals.inference.model_file import file_hash
from credit_signals.tuning.conversion.parity import Comparison, Outcome

MIB = 1 << 20
COLUMNS = ("file", "type", "MiB", "texts with other tokens", "agreement", "difference: largest", "mean")
CAUSAL_COLUMNS = ("KL, nats",)
ENCODER_COLUMNS = ("cosine: whole", "span", "least")
LIBRARIES = ("transformers", "torch", "llama-cpp-python")


def report(name: str, sections: Path, outcome: Outcome, faults: Sequence[str]) -> str:
    """The report. It holds no text of the sections."""
    encoder = outcome.encoder
    columns = (*COLUMNS, *(ENCODER_COLUMNS if encoder else CAUSAL_COLUMNS))
    versions = ", ".join(f"{library} {importlib.metadata.version(library)}" for library in LIBRARIES)
    lines = [
        f"# Parity of {name}",
        f"{outcome.texts} texts of {sections.name} (SHA-256 {file_hash(sections)[:16]}).",
        f"The original in float32; {versions}. Agreement: {'the same set of codes' if encoder else 'the same label'}.",
        "",
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(_cells(each, encoder=encoder))} |" for each in outcome.comparisons),
        "",
    ]
    lines += [f"**Failed.** {fault}." for fault in faults] or ["**Passed.**"]
    return "\n".join(lines) + "\n"


def _cells(each: Comparison, *, encoder: bool) -> list[str]:
    cells = [each.path.name, each.kind, f"{each.path.stat().st_size / MIB:.1f}", str(len(each.mismatches))]
    cells += ["" if each.agreement is None else f"{each.agreement:.2%}", _short(each.largest), _short(each.mean)]
    if encoder:
        return cells + [_cosine(value) for value in (each.cosine_whole, each.cosine_span, each.cosine_least)]
    return [*cells, _short(each.divergence)]


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _cosine(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
