"""Opening a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from credit_signals.domain import Budget, Company, Rejection, Run, content_id, now
from credit_signals.errors import CreditSignalsError
from credit_signals.store.base import ResultsStore

DEFAULT_BUDGET = Budget()


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to read: companies of a list, or those the store says are due."""

    companies: Sequence[Company]
    rejected: Sequence[Rejection] = ()
    budget: Budget = DEFAULT_BUDGET
    reread: bool = False
    run_id: str = ""  # empty: a new one


def open_run(store: ResultsStore, request: RunRequest) -> Run:
    """Record a run; opening the same id again changes nothing.

    The reader that is present now reads the whole run, whatever is promoted while it goes on.
    """
    started = now()
    run_id = request.run_id or f"{started:%Y%m%dT%H%M%SZ}-{content_id(started.isoformat())[:6]}"
    run = store.run(run_id)
    if run is None:
        present = store.present_reader()
        run = Run(
            id=run_id,
            started_at=started,
            budget=request.budget,
            reread=request.reread,
            reader_id=present.id if present else "",
        )
    store.start_run(run, request.companies, request.rejected)
    return run


def known_run(store: ResultsStore, run_id: str) -> Run:
    """A run of the store. Raises CreditSignalsError when there is none of this id."""
    run = store.run(run_id)
    if run is None:
        raise CreditSignalsError(f"run {run_id!r} is not in the store; open it first")
    return run
