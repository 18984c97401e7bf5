"""What both stores decide alike: how signals change, which quotes are true, which reader is which."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

from credit_signals.domain import Outcome, Promotion, RegisteredReader, Signal, present_reader_id
from credit_signals.errors import EvidenceMismatch, StoreError
from credit_signals.store.base import SignalChange, SignalEvent


def check_quote(signal: Signal, texts: Mapping[str, str]) -> None:
    """Check a signal's quote against the texts of stored sections, by id. Raises EvidenceMismatch."""
    evidence = signal.evidence
    text = texts.get(evidence.section_id)
    if text is None:
        raise EvidenceMismatch(f"signal {signal.id} quotes section {evidence.section_id}, which is not stored")
    inside = 0 <= evidence.start < evidence.end <= len(text)
    if not inside or text[evidence.start : evidence.end] != evidence.quote:
        where = f"section {evidence.section_id}[{evidence.start}:{evidence.end}]"
        raise EvidenceMismatch(f"the quote of signal {signal.id} is not the text of {where}")


def merge_signal(stored: Signal, given: Signal) -> tuple[Signal, SignalEvent | None]:
    """The stored signal with what is given, and the change that this is, if any."""
    later = given if _state_at(given) >= _state_at(stored) else stored
    merged = later.model_copy(
        update={
            "first_seen": min(stored.first_seen, given.first_seen),
            "last_seen": max(stored.last_seen, given.last_seen),
        }
    )
    if merged.withdrawn_at and merged.withdrawn_at != stored.withdrawn_at:
        return merged, SignalEvent(merged.id, SignalChange.WITHDRAWN, merged.withdrawn_at)
    if stored.withdrawn_at and not merged.withdrawn_at:
        return merged, SignalEvent(merged.id, SignalChange.RETURNED, merged.last_seen)
    return merged, None


def first_events(signal: Signal) -> list[SignalEvent]:
    """The history of a signal that was not known."""
    events = [SignalEvent(signal.id, SignalChange.SEEN, signal.first_seen)]
    if signal.withdrawn_at:
        events.append(SignalEvent(signal.id, SignalChange.WITHDRAWN, signal.withdrawn_at))
    return events


def _state_at(signal: Signal) -> datetime:
    return max(signal.last_seen, signal.withdrawn_at or signal.last_seen)


def merge_reader(stored: RegisteredReader, given: RegisteredReader) -> RegisteredReader:
    """The stored reader with the place of the given one. Raises StoreError when they are not the same reader."""
    merged = given.model_copy(update={"registered_at": stored.registered_at})
    kept = stored.model_copy(update={"manifest": given.manifest})
    if merged != kept:
        differs = [name for name in RegisteredReader.model_fields if getattr(merged, name) != getattr(kept, name)]
        raise StoreError(f"reader {given.id} is registered with another {', '.join(differs)}")
    return merged


def check_promotion(promotion: Promotion, history: Sequence[Promotion], registered: Container[str]) -> None:
    """Raises StoreError unless the decision may follow the history, oldest first."""
    if promotion.reader_id and promotion.reader_id not in registered:
        raise StoreError(f"reader {promotion.reader_id} is not registered")
    if promotion.outcome is Outcome.REFUSED:
        return
    present = present_reader_id(history)
    if promotion.previous != present:
        raise StoreError(
            f"reader {promotion.reader_id or 'of the settings'} was to follow {promotion.previous or 'none'}, but "
            f"{present or 'none'} is the present reader: another decision came between"
        )
