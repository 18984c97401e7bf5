"""A second pass over labels: each is graded, low grades are dropped, doubtful ones go to a person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.rows import SentenceRow, beside, read_sentences, write_lines
from credit_signals.tuning.labelling.asking import Job
from credit_signals.tuning.labelling.definitions import grading_messages
from credit_signals.tuning.labelling.label import Teacher, ask_teacher, course, write_failures
from credit_signals.tuning.labelling.replies import GradeReply
from credit_signals.tuning.teacher import Label, parse_labels

DOUBTFUL = 3  # this grade is for a person to look at; what is below is dropped


def grade(labels: Path, out: Path, teacher: Teacher) -> dict[str, Any]:
    """Grade labelled sentences; gives the figures.

    The labels of a sentence get one grade: where a signal is wrong or missing, the sentence would teach wrongly as a
    whole. `out` gets those graded 4 and 5, OUT.review.jsonl those graded 3, OUT.dropped.jsonl the others, each line
    with `grade`, `grade_reason` and `grader`. Raises ConfigurationError.
    """
    rows = read_sentences(labels)
    jobs = [Job(row.id, grading_messages(row, _labels(labels, row))) for row in rows]
    outcome, totals = ask_teacher("graded", jobs, GradeReply, teacher)
    piles: dict[str, list[dict[str, Any]]] = {"kept": [], "review": [], "dropped": []}
    grades: Counter[int] = Counter()
    for row in rows:
        if found := outcome.answers.get(row.id):
            marks = {"grade": found.grade, "grade_reason": found.reason, "grader": teacher.endpoint.model}
            name = "kept" if found.grade > DOUBTFUL else "review" if found.grade == DOUBTFUL else "dropped"
            piles[name].append(row.record() | marks)
            grades[found.grade] += 1
    write_lines(out, piles["kept"])
    for name in ("review", "dropped"):
        write_lines(beside(out, f"{name}.jsonl"), piles[name])
    write_failures(out, outcome)
    return {
        "sentences": len(rows),
        **{name: len(pile) for name, pile in piles.items()},
        "grades": {str(number): grades[number] for number in sorted(grades)},
        **course(outcome, len(rows)),
        "ledger": totals,
    }


def _labels(path: Path, row: SentenceRow) -> tuple[Label, ...]:
    try:
        return parse_labels((row.model_extra or {})["signals"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ConfigurationError(f"{path}: sentence {row.id}: not labelled: {exc}") from exc
