"""A section's business activity: nearest official descriptions of NAICS 2022, and from there NACE Rev. 2."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from credit_signals.domain import FoundActivity
from credit_signals.inference.formats import ActivityIndex, Floats

LISTED = 8  # codes per level
LEAST = 0.01  # probability below which a code is not listed
NAICS_LEVELS = (3, 4, 5, 6)  # digits; sectors and NACE sections are sums of these, made where sections are voted
NACE_LEVELS = (2, 4, 5)  # characters: division 62, group 62.0, class 62.01
_WORD = re.compile(r"[a-z]{2,}")


def words(text: str) -> list[str]:
    """The words that the index counts: runs of two or more letters a-z in lower case."""
    return _WORD.findall(text.lower())


class ActivityFinder:
    """Scores section embeddings against an index."""

    def __init__(self, index: ActivityIndex) -> None:
        self.index = index
        self._codes, self._code_of_text = _grouped(index.naics_codes)
        self._nace, self._nace_of_text = _grouped(index.nace_codes)
        self._word_number = {word: number for number, word in enumerate(index.tfidf_vocab)}
        entries = np.diff(index.tfidf_indptr)
        self._row_of_entry = np.repeat(np.arange(len(entries)), entries)
        self._below = _below(index.head_codes, self._codes)
        self._nace_below = _below(index.nace_head_codes, self._nace)
        self._crosswalk: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for source, target, share in zip(index.nace_from, index.nace_to, index.nace_share, strict=True):
            self._crosswalk[source].append((target, float(share)))

    def find(self, embedding: Floats, text: str, bar: float = 0.0) -> list[FoundActivity]:
        """Probable codes, level by level of each scheme; the probabilities of a level sum to at most 1.

        `embedding` is that of the text, of length 1. Nothing is found when its best cosine is below
        `least_similarity + bar`.
        """
        cosines = self.index.naics_emb @ embedding
        if float(cosines.max()) < self.index.least_similarity + bar:
            return []
        naics = self._naics(cosines, embedding, text)
        shares = {code: float(share) for code, share in zip(self._codes, naics, strict=True)}
        return [
            *_levels("NAICS2022", shares, NAICS_LEVELS),
            *_levels("NACE2", self._nace_of(shares, embedding), NACE_LEVELS),
        ]

    def nearest(self, found: Sequence[FoundActivity], embeddings: Floats) -> int:
        """The row of `embeddings` that is nearest to the most probable of the codes."""
        best = max((a for a in found if a.scheme == "NAICS2022"), key=lambda a: (len(a.code), a.probability))
        texts = [number for number, code in enumerate(self.index.naics_codes) if code.startswith(best.code)]
        return int((embeddings @ self.index.naics_emb[texts].T).max(axis=1).argmax())

    def _naics(self, cosines: Floats, embedding: Floats, text: str) -> Floats:
        index = self.index
        similarity = index.embedding_weight * cosines
        if index.tfidf_weight and self._word_number:
            similarity = similarity + index.tfidf_weight * self._word_cosines(text)
        shares = _softmax(_best(similarity, self._code_of_text, len(self._codes)) / index.temperature)
        if not index.head_weight or not index.head_codes:
            return shares
        heads = _softmax(index.head_w @ embedding + index.head_b)
        return _with_head(shares, heads, self._below, index.head_weight)

    def _word_cosines(self, text: str) -> Floats:
        counts = Counter(number for word in words(text) if (number := self._word_number.get(word)) is not None)
        vector = np.zeros(len(self._word_number), np.float32)
        for number, count in counts.items():
            vector[number] = (1 + np.log(count)) * self.index.tfidf_idf[number]
        vector /= max(float(np.linalg.norm(vector)), 1e-12)
        products = vector[self.index.tfidf_indices] * self.index.tfidf_data
        sums = np.bincount(self._row_of_entry, weights=products, minlength=len(self.index.naics_codes))
        return sums.astype(np.float32)

    def _nace_of(self, naics: Mapping[str, float], embedding: Floats) -> dict[str, float]:
        shares: defaultdict[str, float] = defaultdict(float)
        direct = self.index.nace_weight if self._nace else 0.0
        for code, probability in naics.items():
            for target, share in self._crosswalk[code]:
                shares[target] += (1 - direct) * probability * share
        if direct:
            for target, probability in zip(self._nace, self._direct_nace(embedding), strict=True):
                shares[target] += direct * float(probability)
        return shares

    def _direct_nace(self, embedding: Floats) -> Floats:
        index = self.index
        shares = _softmax(_best(index.nace_emb @ embedding, self._nace_of_text, len(self._nace)) / index.temperature)
        if not index.head_weight or not index.nace_head_codes:
            return shares
        heads = _softmax(index.nace_head_w @ embedding + index.nace_head_b)
        return _with_head(shares, heads, self._nace_below, index.head_weight)


def _grouped(codes: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct codes in order, and for each text the place of its code among them."""
    places: dict[str, int] = {}
    rows = [places.setdefault(code, len(places)) for code in codes]
    return list(places), np.array(rows, np.int64)


def _below(prefixes: Sequence[str], codes: Sequence[str]) -> list[NDArray[np.bool_]]:
    """For each prefix, which codes begin with it."""
    return [np.array([code.startswith(prefix) for code in codes], bool) for prefix in prefixes]


def _with_head(shares: Floats, heads: Floats, below: Sequence[NDArray[np.bool_]], weight: float) -> Floats:
    """Shares of codes moved towards the head's shares of their prefixes."""
    mixed = shares * np.float32(1 - weight)
    for rows, head in zip(below, heads, strict=True):
        total = float(shares[rows].sum())
        if total > 0:
            mixed[rows] += weight * head * shares[rows] / total
    return mixed


def _best(similarity: Floats, groups: NDArray[np.int64], count: int) -> Floats:
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, groups, similarity)
    return best


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max())
    shares: Floats = powers / powers.sum()
    return shares


def _levels(scheme: str, shares: Mapping[str, float], levels: Sequence[int]) -> list[FoundActivity]:
    found: list[FoundActivity] = []
    for length in levels:
        sums: defaultdict[str, float] = defaultdict(float)
        for code, share in shares.items():
            if len(code) >= length:
                sums[code[:length]] += share
        ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
        found += [
            FoundActivity(scheme=scheme, code=code, probability=min(1.0, share))
            for code, share in ranked
            if share >= LEAST
        ]
    return found
