"""The figures of one reader as JSON: what `credit-signals readers register` keeps with it."""

from __future__ import annotations

from typing import Any

from credit_signals.tuning.evaluation.activity_figures import ActivityFigures
from credit_signals.tuning.evaluation.report import Evaluation
from credit_signals.tuning.evaluation.signal_figures import PartFigures, ReaderFigures
from credit_signals.tuning.resampling import Figure

DECIMALS = 4


def metrics_of(reader: ReaderFigures, evaluation: Evaluation) -> dict[str, Any]:
    """Headline figures as numbers, their intervals beside them, details below. `data_hash` is that of the split."""
    whole, attributes, reliability = reader.whole, reader.attributes, reader.reliability
    headline: dict[str, Figure | None] = {
        "micro_f1": whole.micro_f1,
        "macro_f1": whole.macro_f1,
        "precision": whole.precision,
        "recall": whole.recall,
        "false_flag_rate": whole.false_flags,
        "stance_accuracy": attributes.stance if attributes else None,
        "subject_accuracy": attributes.subject if attributes else None,
        "calibration_error": reliability.error if reliability else None,
    }
    first = evaluation.readers[0] is reader
    return {
        "reader_id": reader.reader_id,
        "data_hash": evaluation.method.data_hash,
        "seed": evaluation.method.seed,
        "sentences": whole.sentences,
        "documents": whole.documents,
        **{name: round(each.value, DECIMALS) if each else None for name, each in headline.items()},
        "intervals": {name: each.as_list()[1:] for name, each in headline.items() if each},
        "cpu_seconds_per_section": round(reader.cost.cpu_seconds_per_section, 6),
        "dollars_per_million_sections": round(reader.cost.dollars_per_million_sections, DECIMALS),
        "per_code": {
            code: {
                "gold": each.gold,
                "found": each.found,
                "precision": each.precision.as_list(),
                "recall": each.recall.as_list(),
                "f1": each.f1.as_list(),
            }
            for code, each in reader.per_code.items()
        },
        "languages": {name: _part(part) for name, part in reader.languages.items()},
        "kinds": {name: _part(part) for name, part in reader.kinds.items()},
        "abstention": [[point.answered, round(point.accuracy, DECIMALS)] for point in reader.abstention],
        **({"activities": _activities(evaluation.activities)} if first and evaluation.activities else {}),
    }


def _part(part: PartFigures) -> dict[str, Any]:
    return {
        "sentences": part.sentences,
        "gold": part.gold,
        "micro_f1": part.micro_f1.as_list(),
        "macro_f1": part.macro_f1.as_list() if part.macro_f1 else None,
        "false_flag_rate": part.false_flags.as_list(),
    }


def _activities(figures: ActivityFigures) -> dict[str, Any]:
    depths = {
        f"{each.depth.scheme} {each.depth.name}": {f"top{first}": told.as_list() for first, told in each.first.items()}
        for each in figures.depths
    }
    return {
        "texts": figures.texts,
        "depths": depths,
        "hierarchical_f1": {scheme: told.as_list() for scheme, told in figures.hierarchical.items()},
    }
