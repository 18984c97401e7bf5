"""From a reader to a decision: evaluate, promote."""

from __future__ import annotations

import json
from pathlib import Path

from credit_signals.domain import Outcome, RegisteredReader
from credit_signals.errors import ConfigurationError, ModelRefused
from credit_signals.inference.manifest import CascadeManifest, load_any_manifest, load_manifest, reader_id
from credit_signals.tuning.answers import BASELINE
from credit_signals.tuning.life.card import write_card
from credit_signals.tuning.life.course import Figures, Life, Step
from credit_signals.tuning.life.plan import Folder, Plan
from credit_signals.tuning.life.tools import Tools
from credit_signals.tuning.promotion import Proposal, load_evidence, looks, promote
from credit_signals.tuning.registration import ReaderFiles, describe_reader


def require_activities(plan: Plan, tools: Tools) -> None:
    """Raise ConfigurationError when the new reader would silently end what the present one tells of activities."""
    if plan.model.activity or not plan.promotion.promote or plan.promotion.without_activities:
        return
    manifest = tools.manifest_at_work()
    try:
        found = load_any_manifest(manifest)
        encoder = load_manifest(found.cheap) if isinstance(found, CascadeManifest) else found
    except ModelRefused:  # a reader that cannot be opened tells nothing that could be lost
        return
    if encoder.activity:
        raise ConfigurationError(
            f"the reader at work, {manifest}, tells activities, and the new one would not: name the activity index "
            "that belongs to the base, or say that it is meant so"
        )


def _evaluate(life: Life) -> Figures:
    from credit_signals.tuning.evaluation.evaluate import Wanted, evaluate
    from credit_signals.tuning.evaluation.split import LabelledFiles

    plan, folder = life.plan, life.folder
    name = reader_id(folder.manifest)
    rival = life.tools.rival(name)
    manifests = (folder.manifest, *([life.tools.manifest_of(rival)] if rival else []))
    labelled = LabelledFiles((folder.sentences,), plan.tests, plan.model.seed)
    folder.evaluation.mkdir(exist_ok=True)
    evaluate(Wanted(folder.evaluation, manifests, labelled=labelled, command="credit-signals tune life"))
    figures = json.loads(_metrics(folder, name).read_text(encoding="utf-8"))
    write_card(life, figures)
    told = {key: figures[key] for key in ("micro_f1", "macro_f1", "cpu_seconds_per_section", "documents")}
    line = f"micro-F1 {told['micro_f1']}, macro-F1 {told['macro_f1']}, {told['cpu_seconds_per_section']:.4f} CPU-s"
    return {"line": f"{line} per section", "reader_id": name, **told}


def _metrics(folder: Folder, name: str) -> Path:
    return folder.evaluation / f"{name}.metrics.json"


def _answers(folder: Folder, name: str) -> Path:
    return folder.evaluation / f"{name}.answers.jsonl"


def _promote(life: Life) -> Figures:
    folder, tools, wanted = life.folder, life.tools, life.plan.promotion
    name = reader_id(folder.manifest)
    with tools.store() as store:
        # measured again, its figures differ by noise: what is registered stays
        reader = store.reader(name) or store.register_reader(_describe(life, name))
        if not wanted.promote:
            line = f"not asked for: reader {name} is registered; `credit-signals readers promote` decides"
            return {"line": line, "reader_id": name, "outcome": "registered"}
        evidence = load_evidence([folder.evaluation])
        proposal = Proposal(reader, folder.manifest, evidence, tools.by, wanted.trade)
        decision = promote(store, proposal)
        seen = looks(store, evidence[name].data_hash)
    told = f"reader {name} {decision.outcome}: {decision.explanation}"
    if decision.outcome is not Outcome.REFUSED:
        told += "; it reads the runs that are opened from now on; `credit-signals readers rollback` goes back"
    return {"line": told, "reader_id": name, "outcome": decision.outcome.value, "looks_at_this_split": seen}


def _describe(life: Life, name: str) -> RegisteredReader:
    folder = life.folder
    files = ReaderFiles(folder.manifest, folder.card, _metrics(folder, name), (folder.sentences,))
    return describe_reader(files, life.tools.place_for_workers(folder.manifest))


def promoted(figures: Figures) -> bool:
    """Whether a promotion was not refused."""
    return bool(figures["outcome"] != Outcome.REFUSED)


def _rival_id(life: Life) -> str:
    rival = life.tools.rival(reader_id(life.folder.manifest))
    return rival.id if rival else BASELINE


EVALUATE = Step(
    "evaluate",
    _evaluate,
    lambda life: (reader_id(life.folder.manifest), _rival_id(life), life.folder.sentences, "tests", *life.plan.tests),
    lambda life: (
        life.folder.card,
        life.folder.evaluation / "report.md",
        _metrics(life.folder, reader_id(life.folder.manifest)),
        _answers(life.folder, reader_id(life.folder.manifest)),
        _answers(life.folder, _rival_id(life)),
    ),
)
PROMOTE = Step(
    "promote",
    _promote,
    lambda life: (
        life.plan.promotion.model_dump_json(),
        _rival_id(life),
        *(path for path in EVALUATE.makes(life) if path.suffix != ".md"),
    ),
    lambda _life: (),
)
