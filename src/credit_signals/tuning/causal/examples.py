"""Datasets for fine-tuning: rows as examples, questions on the same text side by side where the model allows it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.causal.encoding import TRUNK, Encoded, collate, encode, one_by_one, side_by_side
from credit_signals.tuning.chat import ChatRow
from credit_signals.tuning.teacher import Split

logger = logging.getLogger(__name__)


def make_examples(
    rows: Sequence[ChatRow], tokenizer: Any, model: Any, base: Path, longest: int
) -> dict[Split, Dataset]:
    """A dataset of each split, with a column `length`; questions side by side where the model can read them so.

    `base` is the model's folder, for errors; no example has more than `longest` tokens, or than the model reads.
    Raises ConfigurationError when the train or the validation split has no row, or a split none that fits.
    """
    encoded: dict[Split, list[Encoded]] = {}
    for row in rows:
        encoded.setdefault(row.split, []).append(encode(row, tokenizer, base))
    for split in ("train", "validation"):
        if split not in encoded:
            raise ConfigurationError(f"{base} cannot be trained: no row is of the {split} split")
    lay = side_by_side if lays_side_by_side(model, encoded["train"]) else one_by_one
    if lay is one_by_one:
        logger.info("%s reads each row alone: none share a text, or its attention takes no mask", base)
    limit = min(longest, model.config.get_text_config().max_position_embeddings)
    examples = {split: _dataset(lay(part, limit)) for split, part in encoded.items()}
    for split, part in examples.items():
        learned = sum(sum(row.learned) for row in encoded[split])
        logger.info("%s: %d rows in %d examples, %d answer tokens", split, len(encoded[split]), len(part), learned)
        if not len(part):
            raise ConfigurationError(f"{base}: no row of the {split} split fits {limit} tokens")
    return examples


def _dataset(examples: Iterable[dict[str, list[int]]]) -> Dataset:
    return Dataset.from_list([{**example, "length": len(example["input_ids"])} for example in examples])


def lays_side_by_side(model: Any, rows: Iterable[Encoded], tolerance: float = 0.05) -> bool:
    """Whether the model gives a question the same logits beside another as alone; some attentions ignore the mask."""
    pair = next(_neighbours(rows), None)
    if pair is None:
        return False
    training = model.training
    model.eval()
    alone = [_logits(model, [row]) for row in pair]
    beside = _logits(model, pair)
    model.train(training)
    shared, first = pair[0].shared, len(pair[0].tokens)
    parts = (beside[shared:first], beside[first:])
    return all(
        bool((part - single[shared:]).abs().max() < tolerance * single[shared:].std())
        for part, single in zip(parts, alone, strict=True)
    )


def _neighbours(rows: Iterable[Encoded]) -> Any:
    before = None
    for row in rows:
        if before and row.shared and row.tokens[: row.shared] == before.tokens[: before.shared]:
            yield [before, row]
        before = row


def _logits(model: Any, rows: Sequence[Encoded]) -> Any:
    (example,) = side_by_side(rows, sum(len(row.tokens) for row in rows))
    batch = collate([example], TRUNK)
    batch.pop("labels")
    with torch.inference_mode():
        return model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).logits[0].float()
