"""Near-duplicates: texts that share most of their five-letter runs, numbers and punctuation aside (MinHash, LSH)."""

from __future__ import annotations

import re

from datasketch import MinHash, MinHashLSH

SHINGLE = 5  # characters
PERMUTATIONS = 128
MARGIN = 0.15  # the index looks for pairs so much less similar: else it misses 3% of those near the threshold
_NUMBER = re.compile(r"\d+")
_OTHER = re.compile(r"[\W_]+")


def shingles(text: str) -> frozenset[str]:
    """The runs of letters of a text, a number counting as 0: two years' notices of one event are near-duplicates."""
    plain = _OTHER.sub(" ", _NUMBER.sub("0", text.casefold())).strip()
    return frozenset(plain[start : start + SHINGLE] for start in range(max(1, len(plain) - SHINGLE + 1)))


class NearDuplicates:
    """Remembers texts and tells which new ones are near to one of them.

    Near is a Jaccard similarity of shingles of at least `threshold`. MinHash finds those that may be near, the shingles
    themselves decide.
    """

    def __init__(self, threshold: float = 0.8) -> None:
        self._threshold = threshold
        self._index = MinHashLSH(threshold=max(0.1, threshold - MARGIN), num_perm=PERMUTATIONS, weights=(0.2, 0.8))
        self._known: list[frozenset[str]] = []

    def add(self, text: str) -> bool:
        """Remember a text; False, and nothing remembered, where one near to it is known."""
        parts = shingles(text)
        sketch = _sketch(parts)
        if self._near(parts, sketch):
            return False
        self._index.insert(len(self._known), sketch)
        self._known.append(parts)
        return True

    def knows(self, text: str) -> bool:
        """Whether a text near to this one is remembered."""
        parts = shingles(text)
        return self._near(parts, _sketch(parts))

    def _near(self, parts: frozenset[str], sketch: MinHash) -> bool:
        return any(_similarity(parts, self._known[number]) >= self._threshold for number in self._index.query(sketch))


def _sketch(parts: frozenset[str]) -> MinHash:
    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch([part.encode("utf-8", "surrogatepass") for part in parts])
    return sketch


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
