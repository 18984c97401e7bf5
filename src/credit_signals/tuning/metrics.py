"""How well signals are read: precision, recall, F1, attributes, false flags and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from credit_signals.tuning.teacher import CODES, SEVERITIES, STANCES, SUBJECTS, LabelledSentence

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]

FEWEST = 10  # codes with fewer gold sentences are left out of the macro average


@dataclass(frozen=True, slots=True)
class Outputs:
    """Logits of a model over n sentences: codes [n, C], stance [n, C, 5], subject [n, C, 6], severity [n, C, 3]."""

    codes: Floats
    stance: Floats
    subject: Floats
    severity: Floats

    def rows(self, keep: Bools) -> Outputs:
        """The outputs of some sentences."""
        return Outputs(self.codes[keep], self.stance[keep], self.subject[keep], self.severity[keep])


def gold_codes(sentences: Sequence[LabelledSentence]) -> Bools:
    """Which codes each sentence states, [n, C]."""
    gold = np.zeros((len(sentences), len(CODES)), dtype=bool)
    for row, sentence in enumerate(sentences):
        for label in sentence.labels:
            gold[row, CODES.index(label.code)] = True
    return gold


def sigmoid(values: Floats) -> Floats:
    """The logistic function, safe for large values."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(values, dtype=np.float64)))


def f1(hits: float, found: float, gold: float) -> float:
    """F1 of so many hits among the found and the gold; 0 where nothing is found or to be found."""
    return float(2 * hits / (found + gold)) if found + gold else 0.0


def code_metrics(gold: Bools, found: Bools) -> dict[str, Any]:
    """Micro and macro F1, precision, recall, F1 per code, and the share of signal-free sentences that were flagged."""
    hits, said, true = (gold & found).sum(0), found.sum(0), gold.sum(0)
    per_code = {
        code: {
            "precision": round(float(hits[i] / said[i]), 4) if said[i] else 0.0,
            "recall": round(float(hits[i] / true[i]), 4) if true[i] else 0.0,
            "f1": round(f1(hits[i], said[i], true[i]), 4),
            "gold": int(true[i]),
        }
        for i, code in enumerate(CODES)
    }
    often = [row["f1"] for row in per_code.values() if row["gold"] >= FEWEST]
    free = ~gold.any(1)
    return {
        "sentences": len(gold),
        "micro_f1": round(f1(hits.sum(), said.sum(), true.sum()), 4),
        "macro_f1": round(float(np.mean(often)), 4) if often else 0.0,
        "macro_codes": len(often),
        "precision": round(float(hits.sum() / max(1, said.sum())), 4),
        "recall": round(float(hits.sum() / max(1, true.sum())), 4),
        "signal_free": int(free.sum()),
        "false_flag_rate": round(float(found[free].any(1).mean()), 4) if free.any() else 0.0,
        "per_code": per_code,
    }


def attribute_metrics(sentences: Sequence[LabelledSentence], outputs: Outputs) -> dict[str, float]:
    """Accuracy of stance, subject and severity over the gold signals."""
    right = {"stance": 0, "subject": 0, "severity": 0}
    total = 0
    for row, sentence in enumerate(sentences):
        for label in sentence.labels:
            total += 1
            place = (row, CODES.index(label.code))
            right["stance"] += STANCES[int(outputs.stance[place].argmax())] == label.stance
            right["subject"] += SUBJECTS[int(outputs.subject[place].argmax())] == label.subject
            right["severity"] += SEVERITIES[int(outputs.severity[place].argmax())] == label.severity
    return {f"{name}_accuracy": round(count / max(1, total), 4) for name, count in right.items()}


def calibration_error(probabilities: Floats, gold: Bools, bins: int = 10) -> float:
    """Expected calibration error over (sentence, code) pairs with probability above 0.05, in `bins` equal bins.

    Pairs below that are nearly all rightly near 0 and would only flatter the figure.
    """
    keep = probabilities > 0.05  # noqa: PLR2004  # explained above
    told, true = probabilities[keep], gold[keep]
    if not told.size:
        return 0.0
    place = np.minimum((told * bins).astype(int), bins - 1)
    gaps = [
        abs(told[place == b].mean() - true[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return round(float(sum(gaps)), 4)
