"""The trained part of the activity index: logistic regression over code prefixes on embeddings."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

logger = logging.getLogger(__name__)

Vectors: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Part of a head's training set: embeddings, their codes, and what each counts for."""

    vectors: Vectors
    codes: list[str]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Head:
    """A linear softmax head: P(codes) = softmax(w·embedding + b)."""

    codes: tuple[str, ...]
    w: Vectors  # [H, D]
    b: Vectors  # [H]


def unit(vectors: Vectors) -> Vectors:
    """The vectors scaled to length 1."""
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return scaled


def means(vectors: Vectors, codes: Sequence[str]) -> tuple[Vectors, list[str]]:
    """One vector per code, the direction of the mean of its texts; and the codes, sorted."""
    distinct = sorted(set(codes))
    rows = np.array(codes)
    return unit(np.stack([vectors[rows == code].mean(axis=0) for code in distinct])), distinct


def nearest_allowed(
    vectors: Vectors, allowed: Sequence[tuple[str, ...]], index: Vectors, codes: Sequence[str]
) -> list[str]:
    """For each vector, the prefix among its allowed ones whose nearest text of the index is nearest.

    All allowed prefixes have one length.
    """
    length = len(allowed[0][0])
    prefixes = np.array([code[:length] for code in codes])
    similarity = vectors @ index.T
    masks = {choice: np.isin(prefixes, choice) for choice in set(allowed)}
    return [
        str(prefixes[np.where(masks[choice], row, -np.inf).argmax()])
        for row, choice in zip(similarity, allowed, strict=True)
    ]


def balanced(vectors: Vectors, codes: Sequence[str], total: float, power: float) -> Examples:
    """Examples that together weigh `total`; a code of n texts weighs as n ** (1 - power)."""
    counts = Counter(codes)
    weights = np.array([counts[code] ** -power for code in codes])
    return Examples(vectors, list(codes), weights * total / weights.sum())


def fit_head(parts: Sequence[Examples], length: int, regularisation: float, seed: int) -> Head:
    """Fit a head over the first `length` characters of the codes; `regularisation` is C, the inverse strength."""
    vectors = np.concatenate([part.vectors for part in parts])
    codes = [code[:length] for part in parts for code in part.codes]
    weights = np.concatenate([part.weights for part in parts])
    head = LogisticRegression(C=regularisation, max_iter=200, random_state=seed)
    head.fit(vectors, codes, sample_weight=weights)
    logger.info("a head over %d codes from %d texts", len(head.classes_), len(codes))
    return Head(tuple(map(str, head.classes_)), head.coef_.astype(np.float32), head.intercept_.astype(np.float32))
