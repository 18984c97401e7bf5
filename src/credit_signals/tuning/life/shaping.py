"""From labelled sentences to a reader that workers can open: train, export."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from credit_signals.errors import ConfigurationError
from credit_signals.inference.manifest import reader_id, write_encoder_manifest
from credit_signals.inference.model_file import file_hash
from credit_signals.inference.opening import open_reader
from credit_signals.inference.questions import load_questions
from credit_signals.tuning.causal.interviews import RowSettings, make_rows
from credit_signals.tuning.chat import write_rows
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.languages import language_of
from credit_signals.tuning.life.course import Figures, Life, Step
from credit_signals.tuning.teacher import LabelledSentence, load_teacher

PARITY_TEXTS = 200
LEAST_AGREEMENT = 0.99  # of what the trained model and the served reader find in a sentence
ADAPTER, HEADS = "section-signals.lora.gguf", "heads.npz"
ROWS = "rows.jsonl"


def _train(life: Life) -> Figures:
    return _train_causal(life) if life.plan.model.kind == "causal" else _train_encoder(life)


def _train_encoder(life: Life) -> Figures:
    from credit_signals.tuning.fit import FitSettings
    from credit_signals.tuning.signals import Sources, train_signals

    plan, model = life.plan, life.plan.model
    settings = FitSettings(epochs=max(1, round(plan.epochs)), rank=plan.rank, seed=model.seed, threads=model.threads)
    sources = Sources((life.folder.sentences,), model.base, life.folder.training, languages=model.languages)
    figures = train_signals(sources, settings)
    told, baseline = figures["signals"]["micro_f1"], figures["baseline"]["micro_f1"]
    line = f"micro-F1 {told} on the test split, the baseline {baseline}"
    return {"line": line, "micro_f1": told, "baseline_micro_f1": baseline, "sentences": figures["sentences"]}


def _train_causal(life: Life) -> Figures:
    from credit_signals.tuning.causal.fine_tune import CausalSettings, CausalSources, fine_tune

    plan, model = life.plan, life.plan.model
    out = life.folder.training
    out.mkdir(exist_ok=True)
    sentences = _known(load_teacher([life.folder.sentences]), model.languages)
    rows = life.folder.file(ROWS)
    count = write_rows(rows, make_rows(sentences, load_questions(model.questions), RowSettings(seed=model.seed)))
    settings = CausalSettings(rank=plan.rank, epochs=plan.epochs, seed=model.seed, threads=model.threads)
    card = fine_tune(CausalSources(model.base, rows, out, model.questions), settings)
    line = f"validation loss {card['best_validation_loss']:.3f} after {card['steps']} steps on {count} rows"
    return {"line": line, "rows": count, "steps": card["steps"], "validation_loss": card["best_validation_loss"]}


def _known(sentences: Sequence[LabelledSentence], languages: Sequence[str]) -> list[LabelledSentence]:
    return [each for each in sentences if not languages or language_of(each) in languages]


def _export(life: Life) -> Figures:
    life.folder.manifest.parent.mkdir(exist_ok=True)
    return _export_causal(life) if life.plan.model.kind == "causal" else _export_encoder(life)


def _export_encoder(life: Life) -> Figures:

    model, reader = life.plan.model, life.folder.manifest.parent
    base = reader / f"{model.base.resolve().name}.gguf"
    if model.gguf:
        shutil.copyfile(model.gguf, base)
        _require_parity(life, model.base, [base], life.folder.sentences)
    else:
        _convert(life, model.base, base, life.folder.sentences)
    files = {"model": base}
    for part, source in (
        ("adapter", life.folder.training / ADAPTER),
        ("heads", life.folder.training / HEADS),
        ("activity", model.activity),
    ):
        if source:
            files[part] = reader / source.name
            shutil.copyfile(source, files[part])
    write_encoder_manifest(life.folder.manifest, model.version, model.languages, files)
    agreement = _agreement(life)
    if not agreement >= LEAST_AGREEMENT:
        raise ConfigurationError(
            f"served by llama.cpp the reader finds what the trained model finds in {agreement:.2%} of the sentences; "
            f"{LEAST_AGREEMENT:.0%} is needed"
        )
    name = reader_id(life.folder.manifest)
    return {"line": f"reader {name}, agreement {agreement:.2%}", "reader_id": name, "agreement": agreement}


def _agreement(life: Life) -> float:
    """The share of test sentences in which the reader, as workers open it, finds what the trained model finds."""
    import numpy as np
    import torch

    from credit_signals.tuning.encoder import PairTokenizer, SignalModel
    from credit_signals.tuning.evaluation.reading import read_split
    from credit_signals.tuning.evaluation.split import TestSplit
    from credit_signals.tuning.fit import answer
    from credit_signals.tuning.signals import read_calibration

    plan, training = life.plan, life.folder.training
    sentences = _known([*load_teacher([life.folder.sentences]), *load_teacher(plan.tests)], plan.model.languages)
    tested = [each for each in sentences if each.split(plan.model.seed) == "test"][:PARITY_TEXTS] or sentences
    tested = [replace(each, id=str(number), language=language_of(each)) for number, each in enumerate(tested)]
    trained = SignalModel(plan.model.base, plan.rank, dropout=0.0)
    trained.load_state_dict(torch.load(training / "model.pt", weights_only=True), strict=False)
    outputs = answer(trained, PairTokenizer(plan.model.base), tested)
    wanted = read_calibration(training).found(outputs.codes)
    reader = open_reader(life.folder.manifest)
    try:
        found = read_split(reader, TestSplit(tuple(tested), {"train": [], "validation": []}, "parity")).answers.found
    finally:
        reader.close()
    return float(np.asarray(found == wanted).all(axis=1).mean())


def _convert(life: Life, source: Path, output: Path, texts: Path, identity: dict[str, Any] | None = None) -> None:
    """Convert a model folder to the type that ships, through the parity gate; the exact file is not kept."""
    from credit_signals.tuning.conversion.convert import convert_model
    from credit_signals.tuning.conversion.model_folder import SourceModel
    from credit_signals.tuning.conversion.quantization import WHOLE, quantize

    plan = life.plan
    exact = output.with_suffix(".f32.gguf")
    about = Identity(plan.model.base.resolve().name, languages=plan.model.languages, **(identity or {}))
    opened = SourceModel.read(source)
    convert_model(opened, exact, about)
    if plan.file_type in WHOLE:
        convert_model(opened, output, about, plan.file_type)
    else:
        quantize(exact, output, plan.file_type, threads=plan.model.threads)
    _require_parity(life, source, [exact, output], texts)
    exact.unlink()


def _require_parity(life: Life, source: Path, files: Sequence[Path], texts: Path) -> None:
    from credit_signals.tuning.conversion.parity import Gate, Sides, compare
    from credit_signals.tuning.conversion.parity_report import report
    from credit_signals.tuning.conversion.reference import Reference
    from credit_signals.tuning.conversion.served import Served

    threads, gate = life.plan.model.threads, Gate()
    served = [Served(file, None, threads) for file in files]
    outcome = compare(Sides(Reference(source, None, threads), served, texts, PARITY_TEXTS), gate)
    faults = outcome.faults(gate, files[-1])
    text = report(source.resolve().name, texts, outcome, faults)
    life.folder.file("parity.md").write_text(text, encoding="utf-8")
    if faults:
        raise ConfigurationError(f"the parity gate fails: {'; '.join(faults)}; see parity.md")


def _export_causal(life: Life) -> Figures:
    from credit_signals.tuning.causal.fine_tune import CARD, MERGED

    model, manifest = life.plan.model, life.folder.manifest
    merged = life.folder.training / MERGED
    card = json.loads((merged / CARD).read_text(encoding="utf-8"))
    file = manifest.parent / f"{model.base.resolve().name}.gguf"
    hashes = {"template_sha256": card["template_sha256"], "data_sha256": card["data_sha256"]}
    _convert(life, merged, file, life.folder.file(ROWS), hashes)
    questions = manifest.parent / "questions"
    shutil.rmtree(questions, ignore_errors=True)
    shutil.copytree(model.questions, questions)
    lines = [
        'kind = "generative"',
        f"version = {json.dumps(model.version)}",
        f"languages = {json.dumps(list(model.languages))}",
        f'[model]\nfile = {json.dumps(file.name)}\nsha256 = "{file_hash(file)}"',
        '[questions]\nfolder = "questions"',
    ]
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    name = reader_id(manifest)
    return {"line": f"reader {name}, parity held", "reader_id": name}


def _trained(life: Life) -> Iterable[Path]:
    folder = life.folder.training
    if life.plan.model.kind == "causal":
        return [life.folder.file(ROWS), *sorted(filter(Path.is_file, (folder / "merged").iterdir()))]
    return [folder / name for name in ("model.pt", HEADS, ADAPTER, "signals-metrics.json")]


def _exported(life: Life) -> Iterable[Path]:
    files = filter(Path.is_file, sorted(life.folder.manifest.parent.rglob("*")))
    return (path for path in files if path != life.folder.card)  # the card comes later


def _files(*paths: Path | None) -> Iterable[Path]:
    return (path for path in paths if path)


TRAIN = Step(
    "train",
    _train,
    lambda life: (
        *(f"{life.plan.model.kind} {life.plan.epochs} {life.plan.rank}".split()),
        life.plan.model.model_dump_json(include={"seed", "threads", "languages"}),
        life.folder.sentences,
        life.plan.model.base,
        *_files(life.plan.model.questions if life.plan.model.kind == "causal" else None),
    ),
    _trained,
)
EXPORT = Step(
    "export",
    _export,
    lambda life: (
        life.plan.file_type,
        life.plan.model.model_dump_json(include={"version", "languages", "seed"}),
        *_trained(life),
        life.plan.model.base,
        *_files(life.plan.model.gguf, life.plan.model.activity),
    ),
    _exported,
)
