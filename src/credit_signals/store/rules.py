"""What both stores decide alike: how signals change, and which quotes are true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from credit_signals.domain import Signal
from credit_signals.errors import EvidenceMismatch
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
