"""The same questions to a GGUF file, computed as readers serve it; files in F32 with exact attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from credit_signals.errors import ConfigurationError
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import SignalHeads
from credit_signals.inference.llama import Context, ContextOptions, Model, Segment
from credit_signals.inference.model_file import try_loading
from credit_signals.tuning.conversion.embedded import Embedded, embedded
from credit_signals.tuning.conversion.parity_cases import Case, Mismatch, Prompt, Sentence, mismatches
from credit_signals.tuning.conversion.tensor_files import Floats


@dataclass(frozen=True, slots=True)
class Served:
    """A GGUF file, and an adapter in GGUF over it or none. Each method loads it; they raise ModelRefused."""

    path: Path
    adapter: Path | None = None
    threads: int = 1

    @property
    def kind(self) -> str:
        """The type of the file: F32, Q4_0 and so on."""
        try_loading(self.path)
        with self._open() as (model, _):
            number = model.metadata("general.file_type")
        names = {int(each): each.name.removeprefix("MOSTLY_").removeprefix("ALL_") for each in gguf.LlamaFileType}
        return names.get(int(number), number) if number.isdigit() else "unknown"

    def mismatches(self, cases: Sequence[Case], reference: Any) -> list[Mismatch]:
        """Where the file's tokenizer differs from the reference's."""
        with self._open() as (model, _):
            return mismatches(cases, reference, model)

    def logits(self, prompts: Sequence[Prompt], labels: Sequence[int], *, exact: bool) -> Floats:
        """The logits of the labels (tokens) behind each prompt: [prompts, labels]."""
        rows = np.empty((len(prompts), len(labels)), np.float32)
        with self._open() as (model, adapter):
            read = [prompt.read(model) for prompt in prompts]
            longest = max(map(len, read), default=1)
            if longest > model.trained_length:
                raise ConfigurationError(f"a prompt of {longest} tokens; {self.path} knows {model.trained_length}")
            context = Context(model, ContextOptions(longest, 1, self.threads, exact=exact))
            try:
                context.use_adapter(adapter)
                for row, tokens in enumerate(read):
                    context.forget()
                    count = context.run([Segment(tokens, (0,), output=True)])
                    rows[row] = context.logits(count - 1)[list(labels)]
            finally:
                context.close()
        return rows

    def embeddings(self, sentences: Sequence[Sentence], heads: SignalHeads | None, *, exact: bool) -> Embedded:
        """Whole texts without the adapter, spans behind their context with it."""
        encoder = Encoder(self.path, self.adapter, self.threads, exact=exact)
        try:
            whole = encoder.embed([sentence.text for sentence in sentences])
            rows = encoder.token_rows([(sentence.context, sentence.text) for sentence in sentences])
            return embedded(whole, (tokens for _, tokens in rows), heads)
        finally:
            encoder.close()

    @contextmanager
    def _open(self) -> Iterator[tuple[Model, Any]]:
        with Model(self.path) as model:
            yield model, None if self.adapter is None else model.load_adapter(self.adapter)
