"""The gate before work: a reader becomes the present one only by evidence, or at a trade that somebody states.

A candidate is promoted when, on the blind test split, its micro-F1 and its macro-F1 are both higher than the present
reader's beyond the 95% interval of the difference, and it costs no more. Whoever promotes may state a trade: how much
either figure may fall at most (beyond the interval), and how much dearer or cheaper the candidate may or must be; then
something must be gained by it all the same, a figure or cost. Where no reader is present, the candidate must beat the
baseline, which is never served, so its cost is shown and not judged.

Refusals are recorded like promotions: each look at a blind split wears it out, and a candidate that is tried until
chance favours it should be seen to have been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from credit_signals.domain import (
    Comparison,
    FigureChange,
    Outcome,
    Promotion,
    RegisteredReader,
    Trade,
    now,
    present_reader_id,
    reader_before,
)
from credit_signals.errors import ConfigurationError
from credit_signals.inference.proving import prove_reader
from credit_signals.store.base import ResultsStore
from credit_signals.tuning.answers import BASELINE, Answers, load_answers
from credit_signals.tuning.comparison import compare

COST_NOISE = 1.1  # CPU-seconds of the same work measured twice differ by a tenth


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate and the evidence for it. `manifest` is where this process finds the candidate's manifest."""

    reader: RegisteredReader
    manifest: Path
    answers: Mapping[str, Answers]  # by reader id: the candidate's, and the present reader's or the baseline's
    by: str
    trade: Trade | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a comparison is enough, and why, one reason each: `for_it`, `against_it`."""

    for_it: list[str] = field(default_factory=list)
    against_it: list[str] = field(default_factory=list)

    @property
    def enough(self) -> bool:
        """Nothing stands against it."""
        return not self.against_it

    @property
    def explanation(self) -> str:
        """The reasons that decided, in words and numbers."""
        return "; ".join(self.for_it if self.enough else self.against_it)


def promote(store: ResultsStore, proposal: Proposal) -> Promotion:
    """Judge a candidate and record the decision, whichever it is; done again, it gives the decision that is recorded.

    Raises ConfigurationError when the candidate's and the present reader's answers to the same split are not there,
    ModelRefused when the candidate cannot be opened, StoreError when another decision came between.
    """
    reader, history = proposal.reader, store.promotions()
    present = present_reader_id(history)
    if present == reader.id:
        return next(each for each in reversed(history) if each.outcome is not Outcome.REFUSED)
    comparison = compare(
        _answers_of(proposal, reader.id, "the candidate"),
        _answers_of(proposal, present, "the present reader")
        if present
        else _answers_of(proposal, BASELINE, "the baseline, as no reader is present yet"),
    )
    prove_reader(proposal.manifest, reader.id)
    judgement = judge(comparison, proposal.trade)
    decision = Promotion(
        reader_id=reader.id,
        previous=present,
        outcome=Outcome.PROMOTED if judgement.enough else Outcome.REFUSED,
        at=now(),
        by=proposal.by,
        explanation=judgement.explanation,
        comparison=comparison,
        trade=proposal.trade,
    )
    for earlier in history:  # equal evidence, judged again, is no new look at the split
        if decision.outcome is Outcome.REFUSED and _evidence(earlier) == _evidence(decision):
            return earlier
    store.record_promotion(decision)
    return decision


def _evidence(decision: Promotion) -> tuple[object, ...]:
    return decision.outcome, decision.reader_id, decision.previous, decision.comparison, decision.trade


def _answers_of(proposal: Proposal, reader_id: str, name: str) -> Answers:
    if reader_id not in proposal.answers:
        given = ", ".join(sorted(proposal.answers)) or "none"
        raise ConfigurationError(f"the answers of {name}, {reader_id}, are missing; given are those of: {given}")
    return proposal.answers[reader_id]


def load_evidence(paths: Sequence[Path]) -> dict[str, Answers]:
    """By reader id: the answers in files, and in folders the files `*.answers.jsonl`, as evaluation leaves them.

    Raises ConfigurationError for a file that is none, and where two hold answers of one reader.
    """
    found: dict[str, Answers] = {}
    for path in paths:
        for file in sorted(path.glob("*.answers.jsonl")) if path.is_dir() else [path]:
            answers = load_answers(file)
            if answers.reader_id in found:
                raise ConfigurationError(f"{file}: answers of {answers.reader_id} stand in another file too; give one")
            found[answers.reader_id] = answers
    return found


def looks(store: ResultsStore, data_hash: str) -> int:
    """How many decisions were taken on a split so far."""
    return sum(each.comparison is not None and each.comparison.data_hash == data_hash for each in store.promotions())


def judge(comparison: Comparison, trade: Trade | None = None) -> Judgement:
    """Weigh a comparison by the rule of this module."""
    judgement = Judgement()
    may_lose = trade.may_lose if trade else 0.0
    for change in comparison.figures:
        _judge_figure(judgement, change, may_lose)
    cheaper = False
    if comparison.other != BASELINE:
        _judge_cost(judgement, comparison, trade)
        cheaper = trade is not None and trade.cost_factor is not None and trade.cost_factor < 1
    if not cheaper and all(change.low <= 0 for change in comparison.figures):
        judgement.against_it.append("neither figure is higher beyond the interval, and no lower cost was asked for")
    if judgement.enough and trade:
        judgement.for_it.append(f"trade: {trade.reason}")
    return judgement


def _judge_figure(judgement: Judgement, change: FigureChange, may_lose: float) -> None:
    shown = describe_figure(change)
    if change.low > 0:
        judgement.for_it.append(f"{shown}: higher beyond the interval")
    elif may_lose and change.low >= -may_lose:
        judgement.for_it.append(f"{shown}: falls by no more than the {may_lose:.4f} of the trade")
    elif may_lose:
        judgement.against_it.append(f"{shown}: may fall by more than the {may_lose:.4f} of the trade")
    else:
        judgement.against_it.append(f"{shown}: not higher beyond the interval")


def _judge_cost(judgement: Judgement, comparison: Comparison, trade: Trade | None) -> None:
    stated = trade.cost_factor if trade else None
    limit = comparison.other_cost * (COST_NOISE if stated is None else stated)
    shown = describe_cost(comparison)
    allowed = "no higher (10% of noise)" if stated is None else f"at most {stated:g} times as high"
    if comparison.candidate_cost <= limit:
        judgement.for_it.append(f"{shown}: {allowed}, as asked")
    else:
        judgement.against_it.append(f"{shown}: should be {allowed}")


def describe_figure(change: FigureChange) -> str:
    """A figure with the interval of its difference."""
    return (
        f"{change.name} {change.candidate:.4f} against {change.other:.4f} "
        f"(95% of the difference: {change.low:+.4f} to {change.high:+.4f})"
    )


def describe_cost(comparison: Comparison) -> str:
    """Both costs."""
    return f"{comparison.candidate_cost:.4g} against {comparison.other_cost:.4g} CPU-seconds per section"


def rollback(store: ResultsStore, manifest_of: Callable[[RegisteredReader], Path], by: str, reason: str) -> Promotion:
    """Go back to the reader that was present before the last promotion; empty id: that of the settings.

    Raises ConfigurationError when nothing was promoted, ModelRefused when the earlier reader cannot be opened any
    more, StoreError when another decision came between.
    """
    history = store.promotions()
    before = reader_before(history)
    if before is None:
        raise ConfigurationError("no reader was promoted, so there is nothing to go back to")
    earlier = store.reader(before) if before else None
    if earlier:
        prove_reader(manifest_of(earlier), earlier.id)
    decision = Promotion(
        reader_id=before,
        previous=present_reader_id(history),
        outcome=Outcome.ROLLED_BACK,
        at=now(),
        by=by,
        explanation=reason,
    )
    store.record_promotion(decision)
    return decision
