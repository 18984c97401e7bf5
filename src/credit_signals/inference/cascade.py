"""Two readers in a row: the cheap one reads everything, the other is asked about what the first one doubts.

A pair of sentence and code is doubtful when the first reader's probability lies between the code's bounds. What the
second cannot settle either is stored as unsure. Stance, subject and severity are the first reader's: it was trained on
them. A section in a language that only the second knows is read by the second.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from credit_signals.domain import FoundSignal, Prediction, Section, SectionTask
from credit_signals.errors import ReadFailed
from credit_signals.inference.base import Doubt, Judge, Proposer
from credit_signals.inference.manifest import Blend, CascadeManifest
from credit_signals.inference.sentences import in_context
from credit_signals.taxonomy.signals import BY_CODE

EDGE = 1e-6  # no probability is nearer to 0 or 1 than this


class CascadeReader:
    """Reads sections with two readers. See base.Reader. `counts`: pairs asked, and pairs left unsure, so far."""

    def __init__(self, manifest: CascadeManifest, reader_id: str, first: Proposer, second: Judge) -> None:
        self._manifest = manifest
        self._id = reader_id
        self._first = first
        self._second = second
        bounds = {code: manifest.bounds_of(code) for code in BY_CODE}
        self._bounds = {code: each for code, each in bounds.items() if each}
        self._least = {code: each.lower for code, each in self._bounds.items()}
        self.counts: Counter[str] = Counter()

    @property
    def id(self) -> str:
        """Covers both readers, bounds and blend."""
        return self._id

    @property
    def tokens(self) -> int:
        """Tokens that both have computed so far."""
        return self._first.tokens + self._second.tokens

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order. Raises ReadFailed naming the sections."""
        proposals = self._first.propose(sections, self._least)
        foreign = [row for row, proposal in enumerate(proposals) if proposal.unread_reason]
        read = self._second.read([sections[row] for row in foreign]) if foreign else []
        by_second = dict(zip(foreign, read, strict=True))
        try:
            verdicts = self._settle(sections, proposals)
        except ReadFailed as exc:
            raise ReadFailed(f"sections {', '.join(section.id for section in sections)}: {exc}") from exc
        return [
            self._sign(section, by_second.get(row) or verdict.apply(proposal))
            for row, (section, proposal, verdict) in enumerate(zip(sections, proposals, verdicts, strict=True))
        ]

    def _sign(self, section: Section, prediction: Prediction) -> Prediction:
        task = SectionTask.build(section, self._id)
        return prediction.model_copy(update={"task_id": task.id, "reader_id": self._id})

    def _settle(self, sections: Sequence[Section], proposals: Sequence[Prediction]) -> list[_Verdict]:
        verdicts = [_Verdict() for _ in sections]
        open_ones: list[tuple[_Verdict, FoundSignal, Doubt]] = []
        for section, proposal, verdict in zip(sections, proposals, verdicts, strict=True):
            sentences = in_context(section)
            for signal in proposal.signals:
                bounds = self._bounds.get(signal.code)
                if bounds is None or signal.confidence >= bounds.upper:
                    verdict.found.append(signal)
                else:
                    doubt = Doubt(*sentences[signal.sentence], signal.code, section.language)
                    open_ones.append((verdict, signal, doubt))
        asked = list(dict.fromkeys(doubt for _, _, doubt in open_ones))
        shares = dict(zip(asked, self._second.judge(asked), strict=True)) if asked else {}
        for verdict, signal, doubt in open_ones:
            self._decide(verdict, signal, shares[doubt])
        return verdicts

    def _decide(self, verdict: _Verdict, signal: FoundSignal, share: float | None) -> None:
        if share is None:  # the second reader cannot be asked: the first one's own mind stands
            if signal.margin >= 0:
                verdict.found.append(signal)
            return
        self.counts["asked"] += 1
        probability = blended(self._manifest.blend, signal.confidence, share)
        settled = signal.model_copy(update={"confidence": probability, "margin": probability - 0.5})
        if abs(2 * probability - 1) < self._manifest.least_margin:
            self.counts["unsure"] += 1
            verdict.unsure.append(settled)
        elif settled.margin >= 0:
            verdict.found.append(settled)

    def close(self) -> None:
        """Free both models."""
        self._first.close()
        self._second.close()


@dataclass(slots=True)
class _Verdict:
    """What becomes of the pairs of one section."""

    found: list[FoundSignal] = field(default_factory=list)
    unsure: list[FoundSignal] = field(default_factory=list)

    def apply(self, proposal: Prediction) -> Prediction:
        return proposal.model_copy(update={"signals": _in_order(self.found), "unsure": _in_order(self.unsure)})


def blended(blend: Blend, first: float, second: float) -> float:
    """One probability of two; see manifest.Blend."""
    odds = blend.first * log_odds(first) + blend.second * log_odds(second) + blend.shift
    return 0.5 * (1 + math.tanh(odds / 2))


def log_odds(probability: float) -> float:
    """The logarithm of the odds, finite also at 0 and 1."""
    kept = min(max(probability, EDGE), 1 - EDGE)
    return math.log(kept / (1 - kept))


def _in_order(signals: Sequence[FoundSignal]) -> tuple[FoundSignal, ...]:
    return tuple(sorted(signals, key=lambda signal: (signal.sentence, signal.code)))
