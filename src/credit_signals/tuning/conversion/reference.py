"""The original model in transformers and torch, float32: what a GGUF file is compared with."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from credit_signals.errors import ModelRefused
from credit_signals.inference.encoder import Input
from credit_signals.inference.formats import SignalHeads
from credit_signals.tuning.causal.encoding import FolderTokenizer
from credit_signals.tuning.chat import Message
from credit_signals.tuning.conversion.convert import architecture_of
from credit_signals.tuning.conversion.embedded import Embedded, embedded
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.parity_cases import Prompt, Sentence
from credit_signals.tuning.conversion.tensor_files import Floats


class Reference:
    """A model folder with its tokenizer, a PEFT adapter over it or not. Raises ModelRefused."""

    def __init__(self, folder: Path, adapter: Path | None = None, threads: int = 1) -> None:
        torch.set_num_threads(threads)  # torch's own choice is many times slower for single texts on busy machines
        self._folder, self._adapter = folder, adapter
        self.is_encoder = architecture_of(SourceModel.read(folder)).name == "bert"
        try:
            self._plain: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError) as exc:
            raise ModelRefused(f"{folder}: transformers cannot load the tokenizer: {exc}") from exc
        self.tokenizer = FolderTokenizer(self._plain, folder)

    def render(self, messages: Sequence[Message]) -> str:
        """Messages by the model's chat template, ready for the answer."""
        if not self._plain.chat_template:
            raise ModelRefused(f"{self._folder}: rows without pieces need a chat template, the tokenizer has none")
        chat = [message.model_dump() for message in messages]
        text: str = self._plain.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        return text

    def logits(self, prompts: Sequence[Prompt], labels: Sequence[int]) -> Floats:
        """The logits of the labels (tokens) behind each prompt: [prompts, labels]."""
        model = self._load(AutoModelForCausalLM)
        rows = np.empty((len(prompts), len(labels)), np.float32)
        with torch.inference_mode():
            for row, prompt in enumerate(prompts):
                tokens = torch.tensor([prompt.read(self.tokenizer)])
                rows[row] = model(input_ids=tokens, logits_to_keep=1).logits[0, -1, list(labels)].numpy()
        return rows

    def embeddings(self, sentences: Sequence[Sentence], heads: SignalHeads | None) -> Embedded:
        """As inference.encoder embeds: whole texts without the adapter, spans with it."""
        model = self._load(AutoModel)
        first, separator = self._plain.cls_token_id, self._plain.sep_token_id
        inputs = [sentence.inputs(self.tokenizer, first, separator) for sentence in sentences]
        with torch.inference_mode():
            bare = model.disable_adapter() if self._adapter else contextlib.nullcontext()
            with bare:
                whole = np.stack([_tokens(model, text).mean(axis=0) for text, _ in inputs])
            unit = whole / np.linalg.norm(whole, axis=1, keepdims=True)
            return embedded(unit, (_tokens(model, span) for _, span in inputs), heads)

    def _load(self, kind: Any) -> Any:
        try:
            model = kind.from_pretrained(str(self._folder), local_files_only=True, dtype=torch.float32)
            if self._adapter:
                model = PeftModel.from_pretrained(model, str(self._adapter))
        except (OSError, ValueError, RuntimeError) as exc:
            raise ModelRefused(f"{self._folder}: transformers cannot load the model: {exc}") from exc
        return model.eval()


def _tokens(model: Any, text: Input) -> Floats:
    hidden: Floats = model(input_ids=torch.tensor([text.tokens])).last_hidden_state[0].numpy()
    return hidden[text.start : text.end]
