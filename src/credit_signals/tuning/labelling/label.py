"""Labels for sampled sentences, by a larger model."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from credit_signals.tuning.dataset.rows import beside, read_sentences, write_lines
from credit_signals.tuning.labelling.asking import Job, Limits, Outcome, ask_all
from credit_signals.tuning.labelling.definitions import labelling_messages
from credit_signals.tuning.labelling.endpoint import Endpoint
from credit_signals.tuning.labelling.ledger import Ledger
from credit_signals.tuning.labelling.progress import TeacherView
from credit_signals.tuning.labelling.replies import LabelReply, TeacherReply

Kind = TypeVar("Kind", bound=TeacherReply)


@dataclass(frozen=True, slots=True)
class Teacher:
    """Whom to ask, within which limits, and the file of all its answers."""

    endpoint: Endpoint
    limits: Limits
    cache: Path


def label(sample: Path, out: Path, teacher: Teacher) -> dict[str, Any]:
    """Label the sentences of a file; gives the figures.

    `out` gets each labelled line with `signals` and `teacher`, in the order of the sample, also when the budget or the
    endpoint ended before: then the same call goes on where it was. Sentences that got no valid answer are in
    OUT.failed.jsonl with the reason. Raises ConfigurationError.
    """
    rows = read_sentences(sample)
    jobs = [Job(row.id, labelling_messages(row)) for row in rows]
    outcome, totals = ask_teacher("labelled", jobs, LabelReply, teacher)
    lines = [
        row.record() | {"signals": [asdict(each) for each in found.labels()], "teacher": teacher.endpoint.model}
        for row in rows
        if (found := outcome.answers.get(row.id))
    ]
    write_lines(out, lines)
    write_failures(out, outcome)
    codes = Counter(signal["code"] for line in lines for signal in line["signals"])
    return {
        "sentences": len(rows),
        "labelled": len(lines),
        **course(outcome, len(rows)),
        "without_signal": sum(not line["signals"] for line in lines),
        "codes": dict(codes.most_common()),
        "ledger": totals,
    }


def ask_teacher(
    name: str, jobs: Sequence[Job], kind: type[Kind], teacher: Teacher
) -> tuple[Outcome[Kind], list[dict[str, Any]]]:
    """All answers that can be had, and what the cache's answers cost in total. Raises ConfigurationError."""
    ledger = Ledger(teacher.cache)
    try:
        with TeacherView(name, len(jobs)) as view:
            return _asked(jobs, kind, teacher, ledger, view.advance), ledger.totals()
    finally:
        ledger.close()


def _asked(
    jobs: Sequence[Job], kind: type[Kind], teacher: Teacher, ledger: Ledger, done: Callable[[], None]
) -> Outcome[Kind]:
    return asyncio.run(ask_all(jobs, kind, teacher.endpoint, ledger, teacher.limits, done))


def write_failures(out: Path, outcome: Outcome[Any]) -> None:
    """Ids and reasons of the sentences without valid answer, beside `out`; no file where there are none."""
    path = beside(out, "failed.jsonl")
    path.unlink(missing_ok=True)
    if outcome.failures:
        write_lines(path, ({"id": name, "reason": reason} for name, reason in outcome.failures.items()))


def course(outcome: Outcome[Any], jobs: int) -> dict[str, Any]:
    """What happened on the way, as figures."""
    counts = outcome.counts
    names = ("asked", "from_cache", "retries", "repairs", "invalid", "without_answer")
    left = jobs - len(outcome.answers) - len(outcome.failures)
    return {name: counts[name] for name in names} | {"not_asked": left, "stopped": outcome.stopped}
