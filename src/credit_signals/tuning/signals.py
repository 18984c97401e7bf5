"""Trains the signal reader: adapter, heads, calibration and thresholds, with its figures on sentences never seen."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from credit_signals.inference.formats import SignalHeads
from credit_signals.tuning.adapter import write_adapter
from credit_signals.tuning.baseline import calibrate_for_websites, fit_baseline
from credit_signals.tuning.calibrate import Calibration
from credit_signals.tuning.encoder import PairTokenizer, SignalModel
from credit_signals.tuning.export import heads_of, write_encoder
from credit_signals.tuning.fit import FitSettings, answer, fit
from credit_signals.tuning.keeping import KeptTexts
from credit_signals.tuning.languages import language_of
from credit_signals.tuning.metrics import (
    Bools,
    Outputs,
    attribute_metrics,
    calibration_error,
    code_metrics,
    gold_codes,
)
from credit_signals.tuning.teacher import LabelledSentence, Split, by_split, load_teacher

logger = logging.getLogger(__name__)

LANGUAGES = ("en", "de", "fr", "es", "it")
ENCODER = "encoder"  # folder of an encoder that was trained in full


@dataclass(frozen=True, slots=True)
class Sources:
    """Where training takes from and writes to."""

    teacher: tuple[Path, ...]  # JSON Lines files
    base: Path  # folder with the encoder's safetensors and tokenizer
    out: Path
    start: Path | None = None  # trained parameters of an earlier run to go on from
    languages: tuple[str, ...] = LANGUAGES  # trained and calibrated on; the others are only measured
    kept: tuple[str, ...] = ()  # texts whose embeddings stay as they are where the encoder is trained in full


def train_signals(sources: Sources, settings: FitSettings, *, everything: bool = False) -> dict[str, Any]:
    """Train, calibrate on the validation split, measure on the test split, write all files; gives the metrics.

    With `everything` the model is trained on the validation split too, and keeps the calibration and thresholds that
    the run before it left in the same folder: they cannot be fitted on sentences that were trained on.
    """
    torch.manual_seed(settings.seed)
    random.seed(settings.seed)
    sources.out.mkdir(parents=True, exist_ok=True)
    sentences = load_teacher(sources.teacher)
    parts = by_split(sentences, settings.seed)
    for part in ("train", "validation"):
        parts[part] = [s for s in parts[part] if language_of(s) in sources.languages]
    train = parts["train"] + parts["validation"] if everything else parts["train"]
    tokenizer = PairTokenizer(sources.base)
    model = SignalModel(sources.base, settings.rank, settings.dropout)
    if sources.start:
        model.load_state_dict(torch.load(sources.start, weights_only=True), strict=False)
    gold = gold_codes(parts["validation"])

    def watch(epoch: int, loss: float) -> None:
        outputs = answer(model, tokenizer, parts["validation"])
        figures = code_metrics(gold, calibrate_for_websites(outputs.codes, parts["validation"]).found(outputs.codes))
        logger.info(
            "epoch %d: loss %.3f, validation micro-F1 %.3f, macro-F1 %.3f",
            epoch, loss, figures["micro_f1"], figures["macro_f1"],
        )  # fmt: skip
        torch.save(trained_state(model), sources.out / "model.pt")

    kept = KeptTexts(sources.base, sources.kept, settings.seed) if sources.kept and not settings.rank else None
    fit(model, tokenizer, train, settings, watch, kept)
    if everything:
        calibration = read_calibration(sources.out)
    else:
        calibration = calibrate_for_websites(answer(model, tokenizer, parts["validation"]).codes, parts["validation"])
    metrics = {
        "settings": asdict(settings) | {"everything": everything},
        "sentences": {name: len(part) for name, part in parts.items()},
        "signals": measure(parts["test"], answer(model, tokenizer, parts["test"]), calibration),
        "baseline": baseline(parts),
    }
    if settings.rank:
        write_adapter(model, sources.out / "section-signals.lora.gguf")
    else:
        write_encoder(model, sources.base, sources.out / ENCODER)
    heads_of(model, calibration).save(sources.out / "heads.npz")
    (sources.out / "signals-metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def trained_state(model: SignalModel) -> dict[str, Any]:
    """The parameters that were trained; the frozen ones are those of the base."""
    return {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}


def measure(sentences: Sequence[LabelledSentence], outputs: Outputs, calibration: Calibration) -> dict[str, Any]:
    """All figures over the sentences, and the codes' figures by language and by kind of text."""
    gold = gold_codes(sentences)
    found = calibration.found(outputs.codes)
    groups = {"website": [sentence.from_website for sentence in sentences]}
    languages = [language_of(sentence) for sentence in sentences]
    groups |= {language: [spoken == language for spoken in languages] for language in LANGUAGES}
    groups["website_en"] = [w and spoken == "en" for w, spoken in zip(groups["website"], languages, strict=True)]
    probabilities = calibration.probabilities(outputs.codes)
    return (
        code_metrics(gold, found)
        | attribute_metrics(sentences, outputs)
        | {"calibration_error": calibration_error(probabilities, gold)}
        | {"groups": {name: _short(gold, found, np.array(keep, dtype=bool)) for name, keep in groups.items()}}
    )


def _short(gold: Bools, found: Bools, keep: Bools) -> dict[str, Any]:
    figures = code_metrics(gold[keep], found[keep])
    del figures["per_code"]
    return figures


def baseline(parts: dict[Split, list[LabelledSentence]]) -> dict[str, Any]:
    """TF-IDF and logistic regression on the same splits, calibrated in the same way."""
    fitted = fit_baseline(parts)
    found = fitted.calibration.found(fitted.logits([sentence.text for sentence in parts["test"]]))
    return _short(gold_codes(parts["test"]), found, np.ones(len(found), dtype=bool))


def read_calibration(out: Path) -> Calibration:
    """The calibration of the heads in a folder. Raises ModelRefused."""
    heads = SignalHeads.load(out / "heads.npz")
    return Calibration(heads.scale, heads.shift, heads.threshold)
