"""Learns the rows of new words from pairs of sentences that say the same in two languages; see words.py."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoTokenizer, BertModel

from credit_signals.tuning.batching import batches_by_length
from credit_signals.tuning.pooling import mean_over_tokens
from credit_signals.tuning.teacher import LabelledSentence
from credit_signals.tuning.words import word_rows_name

logger = logging.getLogger(__name__)

LONGEST = 160  # tokens of a sentence


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence of another language and the English one that says the same."""

    foreign: str
    english: str


@dataclass(frozen=True, slots=True)
class PairSettings:
    """How to learn from pairs; every tenth pair is held out to measure on."""

    epochs: int = 4
    rate: float = 2e-3
    batch: int = 32
    seed: int = 1
    threads: int = 2


def pairs_of(sentences: Sequence[LabelledSentence]) -> list[Pair]:
    """Pairs from sentences whose group is the id of the English sentence that they render; contexts pair up too."""
    english = {sentence.id: sentence for sentence in sentences if sentence.language == "en"}
    found = [(s, english[s.group]) for s in sentences if s.language != "en" and s.group in english]
    texts = [Pair(foreign.text, source.text) for foreign, source in found]
    return texts + [Pair(f.context, e.context) for f, e in dict.fromkeys(found) if f.context and e.context]


class WordLearner:
    """An encoder of which only the rows of words from `first` on are trained."""

    def __init__(self, folder: Path, first: int, settings: PairSettings) -> None:
        torch.set_num_threads(settings.threads)
        self._folder = folder
        self._first = first
        self._settings = settings
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
        self._model: Any = BertModel.from_pretrained(str(folder), add_pooling_layer=False).eval()
        self._model.requires_grad_(False)
        self._words: Any = self._model.embeddings.word_embeddings
        self._words.sparse = True  # a step touches only the words of its batch

    def learn(self, pairs: Sequence[Pair]) -> float:
        """Train on the pairs and write the rows back to the folder; gives the held-out pairs' mean cosine."""
        dice = random.Random(self._settings.seed)  # noqa: S311  # an order, not a secret
        held, shown = list(pairs[::10]), [pair for place, pair in enumerate(pairs) if place % 10]
        targets = dict(self._embeddings({pair.english for pair in pairs}))
        self._words.weight.requires_grad_(True)
        optimizer = torch.optim.SparseAdam([self._words.weight], lr=self._settings.rate)
        steps = self._settings.epochs * -(-len(shown) // self._settings.batch)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
        near = self._nearness(held, targets)
        logger.info("%d pairs, held-out cosine %.3f before", len(pairs), near)
        for epoch in range(1, self._settings.epochs + 1):
            started = time.monotonic()
            for batch in batches_by_length(shown, self._settings.batch, lambda pair: len(pair.foreign), 20, dice):
                loss = 1 - self._cosines(batch, targets).mean()
                loss.backward()
                self._words.weight.grad = self._of_new_words(self._words.weight.grad)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
            near = self._nearness(held, targets)
            seconds = time.monotonic() - started
            logger.info("epoch %d of %d: %.0f s, held-out cosine %.3f", epoch, self._settings.epochs, seconds, near)
        self._write()
        return near

    def _of_new_words(self, gradient: Any) -> Any:
        gradient = gradient.coalesce()
        new = (gradient.indices()[0] >= self._first).unsqueeze(1)
        return torch.sparse_coo_tensor(
            gradient.indices(), gradient.values() * new, gradient.shape, check_invariants=False, is_coalesced=True
        )

    def _cosines(self, batch: Sequence[Pair], targets: dict[str, Any]) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = self._embed([pair.foreign for pair in batch])
        return functional.cosine_similarity(made.float(), torch.stack([targets[pair.english] for pair in batch]))

    def _nearness(self, pairs: Sequence[Pair], targets: dict[str, Any]) -> float:
        with torch.no_grad():
            parts = [self._cosines(batch, targets) for batch in _by_length(pairs, 64)]
        return float(torch.cat(parts).mean()) if parts else 0.0

    def _embeddings(self, texts: set[str]) -> Iterator[tuple[str, Any]]:
        order = sorted(texts, key=lambda text: (len(text), text))
        with torch.no_grad():
            for start in range(0, len(order), 64):
                part = order[start : start + 64]
                yield from zip(part, self._embed(part).float(), strict=True)

    def _embed(self, texts: list[str]) -> Any:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        return mean_over_tokens(self._model, tokens["input_ids"], tokens["attention_mask"])

    def _write(self) -> None:
        path = self._folder / "model.safetensors"
        tensors = load_file(path)
        name = word_rows_name(tensors)
        tensors[name] = self._words.weight.detach().to(tensors[name].dtype).contiguous()
        save_file(tensors, path, metadata={"format": "pt"})


def _by_length(pairs: Sequence[Pair], size: int) -> list[list[Pair]]:
    order = sorted(pairs, key=lambda pair: len(pair.foreign))
    return [order[start : start + size] for start in range(0, len(order), size)]
