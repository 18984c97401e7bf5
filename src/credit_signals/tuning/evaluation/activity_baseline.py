"""The baseline of activities: TF-IDF and logistic regression over the official titles and the project's own phrases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from credit_signals.taxonomy import activities as taxonomy
from credit_signals.tuning.activity_data import known_businesses
from credit_signals.tuning.evaluation.activity_figures import DEPTHS, Depth

DEEPEST_CLASSES = 150  # deeper levels have so few texts a code that there is nothing to learn


def guess_activities(texts: Sequence[str], phrases: Path) -> dict[Depth, list[str]]:
    """The most probable code of each text, for sections, sectors and the first level below. Raises ConfigurationError.

    `phrases` are descriptions with `text`, `naics2022` and `nace2`.
    """
    known = known_businesses(phrases)
    guesses: dict[Depth, list[str]] = {}
    for depth in DEPTHS:
        titles = [(taxonomy.title_of(depth.scheme, code), code) for code in taxonomy.codes(depth.scheme)]
        own = [(each.text, each.naics if depth.scheme == taxonomy.NAICS2022 else each.nace) for each in known]
        rows = [(text, found) for text, code in [*titles, *own] if (found := depth.of(code))]
        codes = [code for _, code in rows]
        if len(set(codes)) <= DEEPEST_CLASSES:
            vectorizer = TfidfVectorizer(sublinear_tf=True)
            features = vectorizer.fit_transform([text for text, _ in rows])
            each = LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear")
            model = OneVsRestClassifier(each).fit(features, codes)
            guesses[depth] = [str(code) for code in model.predict(vectorizer.transform(texts))]
    return guesses
