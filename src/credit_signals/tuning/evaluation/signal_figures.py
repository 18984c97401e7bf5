"""All figures of one reader on the test split, each with its interval over documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from credit_signals.tuning.answers import Answers, Bools
from credit_signals.tuning.evaluation.certainty import AbstentionPoint, Reliability, abstention, reliability
from credit_signals.tuning.evaluation.split import kind_of
from credit_signals.tuning.metrics import FEWEST
from credit_signals.tuning.resampling import Figure, Resampling, Sums, figure, share
from credit_signals.tuning.teacher import CODES

FEW_SENTENCES = 30  # languages and kinds with fewer are shown together
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class CodeFigures:
    """One code."""

    gold: int
    found: int
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True, slots=True)
class PartFigures:
    """Some of the sentences. `macro_f1` is over the codes with 10 gold sentences or more; None where there are none."""

    sentences: int
    documents: int
    gold: int
    precision: Figure
    recall: Figure
    micro_f1: Figure
    macro_f1: Figure | None
    macro_codes: int
    signal_free: int
    false_flags: Figure  # share of signal-free sentences in which something was found


@dataclass(frozen=True, slots=True)
class AttributeFigures:
    """Stance and subject of gold signals; `told`: the share of them for which the reader gives any."""

    told: float
    stance: Figure
    subject: Figure


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading costs. An accepted signal is one that was found and is gold, on this split."""

    cpu_seconds_per_section: float
    dollars_per_million_sections: float
    cpu_seconds_per_accepted_signal: float
    dollars_per_thousand_accepted_signals: float


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """A reader; `name` is for people."""

    name: str
    reader_id: str
    whole: PartFigures
    per_code: dict[str, CodeFigures]
    attributes: AttributeFigures | None
    languages: dict[str, PartFigures]
    kinds: dict[str, PartFigures]
    reliability: Reliability | None
    abstention: tuple[AbstentionPoint, ...]
    cost: Cost


def measure_reader(name: str, answers: Answers, vcpu_hour: float, seed: int) -> ReaderFigures:
    """All figures of a reader; `vcpu_hour` is the price of a virtual CPU's hour in dollars."""
    draws = Resampling(answers.groups, seed)
    everything = np.ones(len(answers.ids), dtype=bool)
    kinds = [kind_of(group) for group in answers.groups]
    return ReaderFigures(
        name=name,
        reader_id=answers.reader_id,
        whole=_part(answers, draws, everything),
        per_code=_per_code(answers, draws),
        attributes=_attributes(answers, draws),
        languages=_parts(answers, draws, list(answers.languages)),
        kinds=_parts(answers, draws, kinds),
        reliability=reliability(answers, draws),
        abstention=abstention(answers),
        cost=_cost(answers, vcpu_hour),
    )


def _counts(answers: Answers, draws: Resampling, keep: Bools) -> tuple[Sums, Sums, Sums]:
    """Hits, found and gold of each code in each draw."""
    rows = keep[:, None]
    tables = (answers.gold & answers.found & rows, answers.found & rows, answers.gold & rows)
    hits, found, gold = (draws.sums(table) for table in tables)
    return hits, found, gold


def _per_code(answers: Answers, draws: Resampling) -> dict[str, CodeFigures]:
    hits, found, gold = _counts(answers, draws, np.ones(len(answers.ids), dtype=bool))
    return {
        code: CodeFigures(
            gold=int(gold[0, column]),
            found=int(found[0, column]),
            precision=figure(share(hits[:, column], found[:, column])),
            recall=figure(share(hits[:, column], gold[:, column])),
            f1=figure(share(2 * hits[:, column], (found + gold)[:, column])),
        )
        for column, code in enumerate(CODES)
    }


def _part(answers: Answers, draws: Resampling, keep: Bools) -> PartFigures:
    hits, found, gold = _counts(answers, draws, keep)
    often = gold[0] >= FEWEST
    macro = share(2 * hits, found + gold)[:, often]
    free = keep & ~answers.gold.any(1)
    return PartFigures(
        sentences=int(keep.sum()),
        documents=len({group for group, kept in zip(answers.groups, keep, strict=True) if kept}),
        gold=int(gold[0].sum()),
        precision=figure(share(hits.sum(1), found.sum(1))),
        recall=figure(share(hits.sum(1), gold.sum(1))),
        micro_f1=figure(share(2 * hits.sum(1), (found + gold).sum(1))),
        macro_f1=figure(macro.mean(1)) if often.any() else None,
        macro_codes=int(often.sum()),
        signal_free=int(free.sum()),
        false_flags=draws.ratio(free & answers.found.any(1), free),
    )


def _parts(answers: Answers, draws: Resampling, names: list[str]) -> dict[str, PartFigures]:
    """The figures by name, the most frequent first; rare names together at the end."""
    counts = Counter(names)
    shown = [name for name, count in counts.most_common() if count >= FEW_SENTENCES] or [counts.most_common(1)[0][0]]
    kept = [name if name in shown else OTHERS for name in names]
    order = [*shown, *([OTHERS] if OTHERS in kept else [])]
    return {name or "unknown": _part(answers, draws, np.array([each == name for each in kept])) for name in order}


def _attributes(answers: Answers, draws: Resampling) -> AttributeFigures | None:
    if not answers.gold_attributes or not answers.attributes:
        return None
    counts = np.zeros((len(answers.ids), 4))  # gold signals, told, stance right, subject right
    for row, (gold, told) in enumerate(zip(answers.gold_attributes, answers.attributes, strict=True)):
        for code, (stance, subject) in gold.items():
            given = told.get(code)
            right = (given[0] == stance, given[1] == subject) if given else (False, False)
            counts[row] += (1, given is not None, *right)
    if not counts[:, 1].any():
        return None
    return AttributeFigures(
        told=float(counts[:, 1].sum() / counts[:, 0].sum()),
        stance=draws.ratio(counts[:, 2], counts[:, 1]),
        subject=draws.ratio(counts[:, 3], counts[:, 1]),
    )


def _cost(answers: Answers, vcpu_hour: float) -> Cost:
    section = answers.cpu_seconds_per_section
    accepted = section * len(answers.ids) / max(1, int((answers.gold & answers.found).sum()))
    return Cost(
        cpu_seconds_per_section=section,
        dollars_per_million_sections=section * 1e6 * vcpu_hour / 3600,
        cpu_seconds_per_accepted_signal=accepted,
        dollars_per_thousand_accepted_signals=accepted * 1e3 * vcpu_hour / 3600,
    )
