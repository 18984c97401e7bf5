"""A sentence encoder (BERT) on llama.cpp: many texts in one batch, pooled here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from credit_signals.errors import ModelRefused
from credit_signals.inference.llama import Context, ContextOptions, Model, Segment

CONTEXT_TOKENS = 48
INPUT_TOKENS = 256
BATCH_TOKENS = 256  # measured: 512 is 15% slower, 1024 35%, as attention spans the whole batch
CHARACTERS_PER_TOKEN = (
    16  # no more text than this is tokenized for one token: a giant sentence costs no more than a long one
)


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the encoder; the tokens from `start` to `end` are those asked about."""

    tokens: tuple[int, ...]
    start: int
    end: int


class Encoder:
    """Embeds texts. With an adapter, `token_rows` and `embed_spans` use it and `embed` does not.

    The files must have been checked: see model_file. `exact` see ContextOptions. Raises ModelRefused.
    """

    def __init__(
        self, model_path: Path, adapter_path: Path | None = None, threads: int = 1, *, exact: bool = False
    ) -> None:
        self._model = Model(model_path)
        try:
            _require_bert(self._model)
            self._adapter = None if adapter_path is None else self._model.load_adapter(adapter_path)
            options = ContextOptions(BATCH_TOKENS, BATCH_TOKENS // 4, threads, embeddings=True, exact=exact)
            self._context = Context(self._model, options)
            self.tokens = 0  # computed so far
        except ModelRefused:
            self._model.close()
            raise

    @property
    def width(self) -> int:
        """Length of an embedding."""
        return self._model.width

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean over all tokens of each text, scaled to length 1: [texts, width]."""
        self._context.use_adapter(None)
        vectors = self._means(self._run([self._whole(text) for text in texts]), len(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-12))
        return unit

    def token_rows(self, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """For pairs of context and text, the pair's number and its text's tokens: [tokens, width], not scaled.

        The input is `[CLS] context [SEP] text [SEP]`: the last 48 tokens of the context, and as much of the text as
        256 tokens allow. Each array is valid until the next is asked for.
        """
        self._context.use_adapter(self._adapter)
        yield from self._run([self._pair(context, text) for context, text in pairs])

    def embed_spans(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """The means of `token_rows`: [pairs, width]."""
        return self._means(self.token_rows(pairs), len(pairs))

    def _whole(self, text: str) -> Input:
        tokens = self._tokenize(text, INPUT_TOKENS - 2)
        whole = (self._model.first_token, *tokens, self._model.separator)
        return Input(whole, 0, len(whole))

    def _pair(self, context: str, text: str) -> Input:
        before = self._model.tokenize(context[-CONTEXT_TOKENS * CHARACTERS_PER_TOKEN :])[-CONTEXT_TOKENS:]
        start = len(before) + 2
        separator = self._model.separator
        tokens = self._tokenize(text, INPUT_TOKENS - start - 1) or [separator]
        whole = (self._model.first_token, *before, separator, *tokens, separator)
        return Input(whole, start, start + len(tokens))

    def _tokenize(self, text: str, limit: int) -> list[int]:
        return self._model.tokenize(text[: limit * CHARACTERS_PER_TOKEN])[:limit]

    def _run(self, inputs: Sequence[Input]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for batch in self._batches(inputs):
            segments = [Segment(inputs[row].tokens, (number,)) for number, row in enumerate(batch)]
            count = self._context.run(segments)
            self.tokens += count
            embeddings = self._context.embeddings(count)
            offset = 0
            for row in batch:
                part = inputs[row]
                yield row, embeddings[offset + part.start : offset + part.end]
                offset += len(part.tokens)

    def _means(self, rows: Iterable[tuple[int, NDArray[np.float32]]], count: int) -> NDArray[np.float32]:
        means = np.zeros((count, self.width), np.float32)
        for row, tokens in rows:
            means[row] = tokens.mean(axis=0)
        return means

    def _batches(self, inputs: Sequence[Input]) -> Iterator[list[int]]:
        """Rows in order, as many as fit a batch."""
        options = self._context.options
        batch: list[int] = []
        tokens = 0
        for row, part in enumerate(inputs):
            if batch and (tokens + len(part.tokens) > options.tokens or len(batch) == options.sequences):
                yield batch
                batch, tokens = [], 0
            batch.append(row)
            tokens += len(part.tokens)
        if batch:
            yield batch

    def close(self) -> None:
        """Free the model."""
        self._context.close()
        self._model.close()


def _require_bert(model: Model) -> None:
    if model.separator < 0 or model.trained_length < INPUT_TOKENS:
        raise ModelRefused(f"{model.path}: not a BERT encoder of at least {INPUT_TOKENS} tokens")
