"""The baseline that every reader is measured against: TF-IDF and logistic regression, calibrated as readers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from credit_signals.tuning.calibrate import Calibration, calibrate
from credit_signals.tuning.metrics import Bools, Floats, gold_codes
from credit_signals.tuning.teacher import LabelledSentence, Split

SIGNAL_FREE_TIMES = 4
NEVER = -20.0  # the logit of a code that training never states


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted baseline."""

    vectorizer: Any
    models: tuple[Any, ...]  # one per code; None: training never states it
    calibration: Calibration

    def logits(self, texts: Sequence[str]) -> Floats:
        """Logits of the codes, [n, C]."""
        return _logits(self.vectorizer.transform(texts), self.models)


def fit_baseline(parts: Mapping[Split, Sequence[LabelledSentence]]) -> Baseline:
    """Train on the train split, calibrate on the validation split; the test split is not looked at."""
    gold = gold_codes(parts["train"])
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    features = vectorizer.fit_transform([sentence.text for sentence in parts["train"]])
    models = tuple(_regression(features, gold[:, code]) for code in range(gold.shape[1]))
    validation = _logits(vectorizer.transform([sentence.text for sentence in parts["validation"]]), models)
    return Baseline(vectorizer, models, calibrate_for_websites(validation, parts["validation"]))


def calibrate_for_websites(logits: Floats, sentences: Sequence[LabelledSentence]) -> Calibration:
    """Calibrate with sentences counting as often as their kind is met on a website.

    There nine of ten sentences state nothing; in the teacher's files, chosen for their signals, every second one does.
    """
    times = np.array([1 if not s.from_website else 2 if s.labels else SIGNAL_FREE_TIMES for s in sentences])
    return calibrate(np.repeat(logits, times, axis=0), np.repeat(gold_codes(sentences), times, axis=0))


def _regression(features: Any, gold: Bools) -> Any:
    if not gold.any():
        return None
    return LogisticRegression(C=10.0, class_weight="balanced", max_iter=300).fit(features, gold)


def _logits(features: Any, models: Sequence[Any]) -> Floats:
    columns = [np.full(features.shape[0], NEVER) if m is None else m.decision_function(features) for m in models]
    return np.stack(columns, axis=1)
