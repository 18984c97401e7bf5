"""The choice of a sample: a share at random for honesty, the rest spread over codes, certainty, roles and languages."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.candidates import Candidate, Smallest, Stratum, rank
from credit_signals.tuning.dataset.near_duplicates import NearDuplicates
from credit_signals.tuning.dataset.rows import SentenceRow

SPARE = 3  # candidates held per wanted sentence: some turn out to be near-duplicates
_KEYS: tuple[Callable[[Stratum], str], ...] = (
    lambda stratum: stratum.code,
    lambda stratum: stratum.band,
    lambda stratum: stratum.role,
    lambda stratum: stratum.language,
)


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How many sentences, which share of them at random, from which similarity two are near-duplicates."""

    count: int
    random_share: float = 0.2
    near: float = 0.8
    seed: int = 1


@dataclass(slots=True)
class Sample:
    """The chosen sentences, and what was seen on the way."""

    rows: list[SentenceRow] = field(default_factory=list)
    candidates: int = 0
    near_duplicates: int = 0
    held_back: int = 0  # of documents of a blind split written earlier
    strata: Counter[str] = field(default_factory=Counter)


class Sampler:
    """Draws samples. Candidates of `closed` groups, and near-duplicates of `known` texts, are never taken."""

    def __init__(
        self, settings: SampleSettings, known: Iterable[str] = (), closed: Callable[[str], bool] | None = None
    ):
        self._settings = settings
        self._seen = NearDuplicates(settings.near)
        for text in known:
            self._seen.add(text)
        self._closed = closed or (lambda _group: False)

    def draw(self, candidates: Iterable[Candidate]) -> Sample:
        """A sample; each row says in `random` whether it is of the random share, and its cell in `stratum`.

        The random share is uniform over the distinct sentences, whatever the reader said of them.
        Raises ConfigurationError when two sentences have the same id.
        """
        sample = Sample()
        anywhere, cells = self._pools(candidates, sample)
        wanted = round(self._settings.count * self._settings.random_share)
        taken: dict[str, str] = {}
        self._take(((candidate, candidate.strata[0]) for candidate in anywhere.ranked()), wanted, sample, taken)
        for place, row in enumerate(sample.rows):
            sample.rows[place] = row.model_copy(update={"random": True})
        order = deal([(candidate, cell) for cell, pool in cells.items() for candidate in pool.ranked()])
        self._take(order, self._settings.count, sample, taken)
        return sample

    def _pools(self, candidates: Iterable[Candidate], sample: Sample) -> tuple[Smallest, dict[Stratum, Smallest]]:
        limit = SPARE * self._settings.count
        anywhere, cells = Smallest(limit), dict[Stratum, Smallest]()
        for candidate in candidates:
            sample.candidates += 1
            if self._closed(candidate.row.group):
                sample.held_back += 1
                continue
            number = rank(self._settings.seed, candidate.row)
            anywhere.offer(number, candidate)
            for cell in candidate.strata:
                cells.setdefault(cell, Smallest(limit)).offer(number, candidate)
        return anywhere, cells

    def _take(
        self, order: Iterable[tuple[Candidate, Stratum]], until: int, sample: Sample, taken: dict[str, str]
    ) -> None:
        for candidate, cell in order:
            if len(sample.rows) >= until:
                return
            row = candidate.row
            if row.id in taken:
                if taken[row.id] != row.text:
                    raise ConfigurationError(f"two sentences have the id {row.id}: files need ids of their own")
                continue
            taken[row.id] = row.text
            if not self._seen.add(row.text):
                sample.near_duplicates += 1
                continue
            marks = {"random": False, "stratum": {"code": cell.code, "band": cell.band}}
            sample.rows.append(row.model_copy(update=marks))
            sample.strata[cell.code] += 1


def deal(entries: Sequence[tuple[Candidate, Stratum]], depth: int = 0) -> Iterator[tuple[Candidate, Stratum]]:
    """Entries in an order of which every beginning is spread evenly over codes, in these over bands, and so on."""
    if depth == len(_KEYS):
        yield from entries
        return
    piles: dict[str, list[tuple[Candidate, Stratum]]] = {}
    for entry in entries:
        piles.setdefault(_KEYS[depth](entry[1]), []).append(entry)
    order = sorted(piles, key=lambda name: (name != "near", name))  # uncertain ones first: they teach most
    rounds = itertools.zip_longest(*(deal(piles[name], depth + 1) for name in order))
    yield from (entry for round_ in rounds for entry in round_ if entry is not None)
