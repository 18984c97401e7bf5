"""Sentences that may be sampled, with what decides their chances: predicted code, uncertainty, page role, language."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from credit_signals.domain import FoundSignal
from credit_signals.tuning.dataset.rows import SentenceRow

NOTHING = "nothing"  # a reader looked and found no signal
UNREAD = "unread"  # no reader looked
NEAR, FAR = 0.1, 0.3  # distances of a confidence to its threshold


@dataclass(frozen=True, slots=True)
class Stratum:
    """The cell of a sentence. `code` is a signal code, NOTHING or UNREAD; `band` near, middle, far or empty."""

    code: str
    band: str = ""
    role: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence and its cells: one for each code that a reader found, else one."""

    row: SentenceRow
    strata: tuple[Stratum, ...]


def band(margin: float) -> str:
    """How certain the reader was, by the distance of its confidence to the threshold."""
    distance = abs(margin)
    return "near" if distance < NEAR else "middle" if distance < FAR else "far"


def strata_of(signals: Iterable[FoundSignal], read: bool, role: str, language: str) -> tuple[Stratum, ...]:
    """The cells of a sentence with these signals."""
    found = tuple(Stratum(signal.code, band(signal.margin), role, language) for signal in signals)
    return found or (Stratum(NOTHING if read else UNREAD, "", role, language),)


def rank(seed: int, row: SentenceRow) -> int:
    """A random number that depends on seed, context and text alone: the same choice whatever the order of the store."""
    text = " ".join(f"{row.prev} {row.text}".split()).casefold()
    digest = hashlib.blake2b(f"{seed}/{text}".encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


class Smallest:
    """The candidates of smallest rank, `limit` at most: a uniform draw from any number of them, in bounded memory.

    Of candidates with equal context and text the first is kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._heap: list[tuple[int, Candidate]] = []
        self._ranks: set[int] = set()

    def offer(self, number: int, candidate: Candidate) -> None:
        """Take a candidate of this rank if it is among the smallest."""
        full = len(self._heap) >= self._limit
        if number in self._ranks or (full and number >= -self._heap[0][0]):
            return
        self._ranks.add(number)
        if full:
            gone, _ = heapq.heapreplace(self._heap, (-number, candidate))
            self._ranks.discard(-gone)
        else:
            heapq.heappush(self._heap, (-number, candidate))

    def ranked(self) -> list[Candidate]:
        """From the smallest rank up."""
        return [candidate for _, candidate in sorted(self._heap, key=lambda entry: -entry[0])]
