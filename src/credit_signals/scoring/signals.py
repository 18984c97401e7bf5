"""Signals: found in this run, followed from run to run.

The same statement (code, stance, subject and words) on several pages is one signal; its best evidence and its earliest
date of publication are kept.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TypeAlias

from credit_signals.domain import FoundSignal, Prediction, Section, Signal, content_id
from credit_signals.scoring.evidence import evidence_of
from credit_signals.taxonomy.signals import BY_CODE

log = logging.getLogger(__name__)


def find_signals(
    company_id: str, sections: Sequence[Section], predictions: Mapping[str, Prediction], at: datetime
) -> list[Signal]:
    """The signals that the predictions (by content hash) state of a company's sections, strongest first.

    What points at no sentence of its section, or bears a code outside the taxonomy, is left out and logged.
    """
    best: dict[str, Signal] = {}
    for section in sections:
        prediction = predictions.get(section.content_hash)
        for found in prediction.signals if prediction else ():
            signal = _signal(company_id, section, found, at)
            if signal:
                best[signal.id] = _better(best.get(signal.id, signal), signal)
    return sorted(best.values(), key=_strength)


Statement: TypeAlias = tuple[str, str]  # code and normalised words


def find_unsure(sections: Sequence[Section], predictions: Mapping[str, Prediction]) -> set[Statement]:
    """The statements that the reader left unsure; they are no signals."""
    statements = set()
    for section in sections:
        prediction = predictions.get(section.content_hash)
        for found in prediction.unsure if prediction else ():
            if evidence := evidence_of(section, [found.sentence]):
                statements.add((found.code, normalised(evidence.quote)))
    return statements


def follow_signals(
    previous: Sequence[Signal],
    found: Sequence[Signal],
    missing_urls: AbstractSet[str],
    at: datetime,
    unsure: AbstractSet[Statement] = frozenset(),
) -> list[Signal]:
    """Join what earlier runs saw with what this run found, strongest first, withdrawn ones last.

    A signal found again keeps its `first_seen` and is no longer withdrawn. A signal not found is withdrawn only when
    its page was read without it or is gone (`missing_urls`): a page that could not be fetched says nothing, nor does
    a statement that the reader is `unsure` of now. Looking at an older run again never undoes what a newer one saw.
    """
    known = {signal.id: signal for signal in previous}
    joined = [_seen_again(known.pop(signal.id, signal), signal) for signal in found]
    for signal in known.values():
        statement = (signal.code, normalised(signal.evidence.quote))
        missed = signal.evidence.url in missing_urls and statement not in unsure
        vanished = missed and signal.withdrawn_at is None and signal.last_seen <= at
        joined.append(signal.model_copy(update={"withdrawn_at": at}) if vanished else signal)
    return sorted(joined, key=_strength)


def normalised(quote: str) -> str:
    """The words of a quote without the accidents of case, spacing and surrounding punctuation."""
    folded = " ".join(unicodedata.normalize("NFKC", quote).casefold().split())
    return re.sub(r"^\W+|\W+$", "", folded)


def _signal(company_id: str, section: Section, found: FoundSignal, at: datetime) -> Signal | None:
    evidence = evidence_of(section, [found.sentence])
    if evidence is None or found.code not in BY_CODE:
        log.warning("section %s: no sentence %d or unknown code %r", section.id, found.sentence, found.code)
        return None
    return Signal(
        id=content_id(company_id, found.code, found.stance, found.subject, normalised(evidence.quote)),
        company_id=company_id,
        code=found.code,
        stance=found.stance,
        subject=found.subject,
        severity=found.severity,
        confidence=found.confidence,
        evidence=evidence,
        stated_on=section.published,
        first_seen=at,
        last_seen=at,
    )


def _better(first: Signal, second: Signal) -> Signal:
    """The surer reading of one statement, dated as early as any page dates it."""
    better = min(first, second, key=_evidence_rank)
    dates = [signal.stated_on for signal in (first, second) if signal.stated_on]
    return better.model_copy(update={"stated_on": min(dates, default="")})


def _seen_again(before: Signal, found: Signal) -> Signal:
    withdrawn = before.withdrawn_at
    return found.model_copy(
        update={
            "stated_on": found.stated_on or before.stated_on,
            "first_seen": min(before.first_seen, found.first_seen),
            "last_seen": max(before.last_seen, found.last_seen),
            "withdrawn_at": withdrawn if withdrawn and withdrawn > found.last_seen else None,
        }
    )


def _evidence_rank(signal: Signal) -> tuple[float, int, str, str, int]:
    # the surest reading; among equals the page nearest to the root, then any fixed order
    evidence = signal.evidence
    return -signal.confidence, len(evidence.url), evidence.url, evidence.section_id, evidence.start


def _strength(signal: Signal) -> tuple[bool, int, float, str, str]:
    return signal.withdrawn_at is not None, -signal.severity, -signal.confidence, signal.code, signal.id


def present(signals: Sequence[Signal]) -> Iterator[Signal]:
    """The signals that still stand on the site."""
    return (signal for signal in signals if signal.withdrawn_at is None)
