"""The training loop of the signal reader."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from credit_signals.tuning.averaging import Averages
from credit_signals.tuning.batching import batches_by_length
from credit_signals.tuning.encoder import PairTokenizer, SignalModel, collate
from credit_signals.tuning.keeping import KeptTexts
from credit_signals.tuning.metrics import Outputs
from credit_signals.tuning.optimizer import parameter_groups
from credit_signals.tuning.teacher import CODES, SEVERITIES, STANCES, SUBJECTS, LabelledSentence

logger = logging.getLogger(__name__)

IGNORED = -100  # cross-entropy skips these targets


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to train. `rank` 0 trains the encoder in full; `threads` is torch's."""

    epochs: int = 6
    seed: int = 1
    rank: int = 32
    rate: float = 8e-4  # of adapter and heads
    full_rate: float = 1e-4  # of the encoder's last layer, where it is trained in full
    batch: int = 32
    dropout: float = 0.1
    smoothing: float = 0.02
    no_context: float = 0.15  # share of sentences shown without their context
    rare_boost: float = 3.0  # largest weight of a rare code's positives
    kept_weight: float = 3.0  # of the texts whose embeddings are kept
    averaged: int = 500  # steps over which the weights are averaged
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Targets:
    """What a batch should answer: codes [n, C]; and per signal its row, code, stance, subject and severity."""

    codes: Any
    rows: Any
    asked: Any
    stance: Any
    subject: Any
    severity: Any


def make_targets(batch: Sequence[LabelledSentence]) -> Targets:
    """The targets of a batch of sentences."""
    codes = torch.zeros((len(batch), len(CODES)))
    found = [(row, label) for row, sentence in enumerate(batch) for label in sentence.labels]
    for row, label in found:
        codes[row, CODES.index(label.code)] = 1.0
    return Targets(
        codes=codes,
        rows=torch.tensor([row for row, _ in found], dtype=torch.long),
        asked=torch.tensor([CODES.index(label.code) for _, label in found], dtype=torch.long),
        stance=torch.tensor([STANCES.index(label.stance) for _, label in found], dtype=torch.long),
        subject=torch.tensor([SUBJECTS.index(label.subject) for _, label in found], dtype=torch.long),
        severity=torch.tensor([SEVERITIES.index(label.severity) for _, label in found], dtype=torch.long),
    )


def positive_weights(sentences: Sequence[LabelledSentence], largest: float) -> Any:
    """The weight of each code's positives: the root of how much rarer it is than the commonest, within limits."""
    counts = make_targets(sentences).codes.sum(0).clamp(min=1)
    return (counts.max() / counts).sqrt().clamp(1.0, largest)


def loss_of(logits: tuple[Any, Any, Any, Any], targets: Targets, weight: Any, soft: float) -> Any:
    """The loss of a batch: codes as 28 yes/no questions, stance, subject and severity per stated signal."""
    codes, stance, subject, severity = (part.float() for part in logits)
    smooth = targets.codes * (1 - soft) + soft / len(CODES)
    total = (
        functional.binary_cross_entropy_with_logits(codes, smooth, pos_weight=weight, reduction="none").sum(1).mean()
    )
    if len(targets.rows):
        asked = (targets.rows, targets.asked)
        for share, logits_of, gold in (
            (1.0, stance, targets.stance),
            (0.7, subject, targets.subject),
            (0.3, severity, targets.severity),
        ):
            total = total + share * functional.cross_entropy(logits_of[asked], gold, label_smoothing=soft)
    return total


def fit(
    model: SignalModel,
    tokenizer: PairTokenizer,
    sentences: Sequence[LabelledSentence],
    settings: FitSettings,
    after_epoch: Callable[[int, float], None],
    kept: KeptTexts | None = None,
) -> None:
    """Train the model in place. Deterministic for a seed.

    The model holds the average of its weights over the last steps whenever `after_epoch` is called, with the epoch's
    number and mean loss, and in the end.

    `kept`: texts whose embeddings are to stay as they are, where the encoder is trained in full.
    """
    torch.set_num_threads(settings.threads)
    dice = random.Random(settings.seed)  # noqa: S311  # an order, not a secret
    full = tokenizer.tokenize(sentences)
    bare = tokenizer.tokenize(sentences, with_context=False)
    groups = parameter_groups(model, settings.rate, settings.full_rate)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
    steps = settings.epochs * math.ceil(len(sentences) / settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in groups],
        total_steps=steps + 1,
        pct_start=0.08,
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    parameters = [parameter for group in groups for parameter in group["params"]]
    averages = Averages(parameters, settings.averaged)
    weight = positive_weights(sentences, settings.rare_boost)
    for epoch in range(1, settings.epochs + 1):
        model.train()
        losses: list[float] = []
        started = time.monotonic()
        shown = [(row, bare[row] if dice.random() < settings.no_context else full[row]) for row in range(len(full))]
        for batch in batches_by_length(shown, settings.batch, lambda pair: len(pair[1].ids), 6, dice):
            targets = make_targets([sentences[row] for row, _ in batch])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(*collate([tokens for _, tokens in batch], tokenizer.pad))
            loss = loss_of(logits, targets, weight, settings.smoothing)
            if kept:
                loss = loss + settings.kept_weight * kept.loss(model.base, len(batch))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            averages.update()
            optimizer.zero_grad(set_to_none=True)
            losses.append(float(loss.detach()))
        logger.info("epoch %d of %d: %.0f s", epoch, settings.epochs, time.monotonic() - started)
        with averages.in_place():
            after_epoch(epoch, sum(losses) / len(losses))
    averages.keep()


def answer(
    model: SignalModel, tokenizer: PairTokenizer, sentences: Sequence[LabelledSentence], size: int = 64
) -> Outputs:
    """The model's logits for sentences, in their order, in 32-bit arithmetic."""
    model.eval()
    tokens = tokenizer.tokenize(sentences)
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row].ids))
    parts: list[list[np.ndarray]] = [[], [], [], []]
    with torch.inference_mode():
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            for part, logits in zip(parts, model(*collate([tokens[row] for row in rows], tokenizer.pad)), strict=True):
                part.append(logits.numpy())
    back = np.argsort(np.array(order, dtype=np.int64))
    codes, stance, subject, severity = (np.concatenate(part)[back] for part in parts)
    return Outputs(codes, stance, subject, severity)
