"""Measures readers and writes the report, its pictures, each reader's answers and its figures."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from credit_signals.domain import Comparison
from credit_signals.errors import ConfigurationError
from credit_signals.inference.opening import open_reader
from credit_signals.tuning.answers import BASELINE, Answers, load_answers, save_answers
from credit_signals.tuning.comparison import LEAST_DOCUMENTS, compare
from credit_signals.tuning.dataset.rows import write_figures
from credit_signals.tuning.evaluation import plots
from credit_signals.tuning.evaluation.activity_baseline import guess_activities
from credit_signals.tuning.evaluation.activity_figures import (
    ActivityFigures,
    find_described,
    load_descriptions,
    measure_activities,
)
from credit_signals.tuning.evaluation.generated import measure_generated
from credit_signals.tuning.evaluation.metrics_file import metrics_of
from credit_signals.tuning.evaluation.reading import baseline_answers, read_split
from credit_signals.tuning.evaluation.report import Evaluation, Method, render_report
from credit_signals.tuning.evaluation.signal_figures import ReaderFigures, measure_reader
from credit_signals.tuning.evaluation.split import LabelledFiles, TestSplit, load_split
from credit_signals.tuning.labelling.label import Teacher

logger = logging.getLogger(__name__)

BASELINE_NAME = "TF-IDF + logistic regression"


@dataclass(frozen=True, slots=True)
class Activities:
    """What activities are measured on, and phrases with codes for their baseline (None: no baseline)."""

    descriptions: tuple[Path, ...]
    phrases: Path | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Answers that a generative reader wrote, the chats they belong to, and who judges them, if anyone."""

    questions: Path
    answers: Path
    judge: Teacher | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to measure. Readers are manifests to run on the labelled sentences, `answers` are files of earlier runs."""

    out: Path
    readers: tuple[Path, ...] = ()
    answers: tuple[Path, ...] = ()
    labelled: LabelledFiles = field(default_factory=LabelledFiles)
    activities: Activities | None = None
    written: Written | None = None
    vcpu_hour: float = 0.04
    command: str = ""


@dataclass(slots=True)
class _Answered:
    """Answers by the reader's name, and what was left unread."""

    by_name: dict[str, Answers]
    unread: dict[str, dict[str, int]]


def evaluate(wanted: Wanted) -> dict[str, Any]:
    """Measure all that is wanted and write OUT/report.md with plots/, answers and figures of each reader.

    Gives the names of the files and the headline figures. Raises ConfigurationError, ModelRefused, ReadFailed, OSError.
    """
    wanted.out.mkdir(parents=True, exist_ok=True)
    split = load_split(wanted.labelled) if wanted.labelled.split or wanted.labelled.blind else None
    answered = _answers(wanted, split)
    seed = wanted.labelled.seed
    readers = tuple(measure_reader(name, each, wanted.vcpu_hour, seed) for name, each in answered.by_name.items())
    activities = _activities(wanted)
    written = wanted.written
    generated = measure_generated(written.questions, written.answers, written.judge) if written else None
    if not readers and not activities and not generated:
        raise ConfigurationError("nothing to measure: name readers, answers, descriptions or generated answers")
    evaluation = Evaluation(
        readers=readers,
        comparisons=tuple(_comparisons(list(answered.by_name.values()))),
        activities=activities,
        generated=generated,
        method=Method(
            data_hash=next((each.data_hash for each in answered.by_name.values()), ""),
            seed=seed,
            vcpu_hour=wanted.vcpu_hour,
            command=wanted.command,
            files=tuple(_files(wanted)),
            unread=answered.unread,
        ),
    )
    return _write(wanted.out, evaluation, answered.by_name)


def _answers(wanted: Wanted, split: TestSplit | None) -> _Answered:
    """Answers of readers that are run, then of files, the baseline last.

    What a reader answered is saved at once: whoever is stopped while the baseline is fitted goes on with --answers.
    """
    found = _Answered({}, {})
    if wanted.readers and split is None and wanted.activities is None:
        raise ConfigurationError("a reader needs labelled sentences, or descriptions, to be measured on")
    if split:
        for manifest in wanted.readers:
            name = _name(manifest, found.by_name)
            found.by_name[name], found.unread[name] = _read(manifest, split)
            save_answers(found.by_name[name], _file(wanted.out, found.by_name[name].reader_id, "answers.jsonl"))
    for path in wanted.answers:
        answers = load_answers(path)
        found.by_name[BASELINE_NAME if answers.reader_id == BASELINE else _name(path, found.by_name)] = answers
    if split and split.learned["train"] and BASELINE_NAME not in found.by_name:
        logger.info("fitting the baseline on %d sentences", len(split.learned["train"]))
        found.by_name[BASELINE_NAME] = baseline_answers(split)
    if BASELINE_NAME in found.by_name:
        found.by_name[BASELINE_NAME] = found.by_name.pop(BASELINE_NAME)
    _require_one_split(found.by_name)
    return found


def _read(manifest: Path, split: TestSplit) -> tuple[Answers, dict[str, int]]:
    logger.info("%s reads %d sentences", manifest, len(split.sentences))
    reader = open_reader(manifest)
    try:
        reading = read_split(reader, split)
    finally:
        reader.close()
    return reading.answers, reading.unread


def _name(path: Path, taken: dict[str, Answers]) -> str:
    """A short name for people: the file's, with as many folders before it as tell it from the others."""
    parts = [*path.resolve().parts[1:-1], path.name.removesuffix(path.suffix).removesuffix(".answers")]
    names = ["/".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]
    return next((name for name in names if name not in taken), f"{names[-1]} again")


def _require_one_split(answers: dict[str, Answers]) -> None:
    first: tuple[str, Answers] | None = None
    for name, each in answers.items():
        first = first or (name, each)
        if (each.data_hash, each.gold_id) != (first[1].data_hash, first[1].gold_id):
            raise ConfigurationError(
                f"{first[0]} and {name} answered different splits: {first[1].data_hash} and {each.data_hash}"
            )


def _comparisons(answers: Sequence[Answers]) -> list[Comparison]:
    """The first against each other one, where there are documents enough to compare."""
    if len(answers) < 2 or len(set(answers[0].groups)) < LEAST_DOCUMENTS:  # noqa: PLR2004  # a pair
        return []
    return [compare(answers[0], other) for other in answers[1:]] if answers[0].gold.any() else []


def _activities(wanted: Wanted) -> ActivityFigures | None:
    if wanted.activities is None:
        return None
    if not wanted.readers:
        raise ConfigurationError("descriptions need a reader that tells activities")
    descriptions = load_descriptions(wanted.activities.descriptions)
    found = find_described(wanted.readers[0], descriptions)
    phrases = wanted.activities.phrases
    guesses = guess_activities([each.text for each in descriptions], phrases) if phrases else {}
    return measure_activities(wanted.readers[0].stem, descriptions, found, guesses, wanted.labelled.seed)


def _files(wanted: Wanted) -> list[str]:
    named = [("test split of", path) for path in wanted.labelled.split]
    named += [("all of", path) for path in wanted.labelled.blind]
    named += [("answers in", path) for path in wanted.answers]
    named += [("descriptions in", path) for path in (wanted.activities.descriptions if wanted.activities else ())]
    return [f"{what} `{path.name}`" for what, path in named]


def _write(out: Path, evaluation: Evaluation, answers: dict[str, Answers]) -> dict[str, Any]:
    (out / "plots").mkdir(parents=True, exist_ok=True)
    drawn = _draw(evaluation, out / "plots")
    (out / "report.md").write_text(render_report(evaluation, drawn), encoding="utf-8")
    files: dict[str, Any] = {}
    for figures in evaluation.readers:
        told, figures_file = (_file(out, figures.reader_id, kind) for kind in ("answers.jsonl", "metrics.json"))
        save_answers(answers[figures.name], told)
        metrics = metrics_of(figures, evaluation)
        write_figures(figures_file, metrics)
        files[figures.name] = {
            "answers": str(told),
            "metrics": str(figures_file),
            "micro_f1": metrics["micro_f1"],
            "macro_f1": metrics["macro_f1"],
        }
    return {"report": str(out / "report.md"), "readers": files}


def _file(out: Path, reader_id: str, kind: str) -> Path:
    """Where a reader's file of one kind lies."""
    stem = re.sub(r"[^\w.-]", "_", reader_id)
    return out / f"{stem}.{kind}"


def _draw(evaluation: Evaluation, folder: Path) -> list[str]:
    """Draw what there is to draw; gives the files' names. Pictures of an earlier run are taken away."""
    readers, activities = evaluation.readers, evaluation.activities
    pictures: list[tuple[str, bool, Callable[[Path], None]]] = [
        ("codes.svg", bool(readers), partial(plots.draw_codes, readers)),
        ("parts.svg", bool(readers), partial(plots.draw_parts, readers)),
        ("reliability.svg", _any(readers, "reliability"), partial(plots.draw_reliability, readers)),
        ("abstention.svg", _any(readers, "abstention"), partial(plots.draw_abstention, readers)),
    ]
    if activities:
        pictures.append(("activities.svg", True, partial(plots.draw_activities, activities)))
    drawn = []
    for name, there, draw in pictures:
        (folder / name).unlink(missing_ok=True)
        if there:
            draw(folder / name)
            drawn.append(name)
    return drawn


def _any(readers: Sequence[ReaderFigures], part: str) -> bool:
    return any(getattr(each, part) for each in readers)
