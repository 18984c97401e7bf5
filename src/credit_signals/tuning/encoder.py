"""The sentence encoder under training: a BERT, in full or frozen under low-rank adapters, and heads over the sentence.

The input is the one that the reader serves: `[CLS] context [SEP] text [SEP]`, attention over all of it, all token
types 0. Each code looks at the tokens of the text through its own attention (label attention, arXiv 1802.05695) and
answers from what it saw; attention of zeros is the mean over the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize
from transformers import AutoTokenizer, BertModel

from credit_signals.tuning.teacher import CODES, SEVERITIES, STANCES, SUBJECTS, LabelledSentence

CONTEXT_TOKENS = 48
TOTAL_TOKENS = 256
ALPHA_PER_RANK = 2  # the adapter's delta is B·A times this


@dataclass(frozen=True, slots=True)
class Tokens:
    """A sentence as token ids; `ids[start:end]` are those of its text."""

    ids: list[int]
    start: int
    end: int


class PairTokenizer:
    """Tokenizes a context and a text into one input."""

    def __init__(self, model_dir: Path) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(model_dir))
        self.pad: int = self._tokenizer.pad_token_id

    def tokenize(self, sentences: Sequence[LabelledSentence], *, with_context: bool = True) -> list[Tokens]:
        """The tokens of each sentence; the context keeps its last 48 tokens, the whole at most 256."""
        contexts = [sentence.context if with_context else "" for sentence in sentences]
        texts = [sentence.text for sentence in sentences]
        pairs = zip(self._plain(contexts), self._plain(texts), strict=True)
        return [self._join(context[-CONTEXT_TOKENS:], text) for context, text in pairs]

    def _plain(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded: list[list[int]] = self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        return encoded

    def _join(self, context: list[int], text: list[int]) -> Tokens:
        first, separator = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        start = len(context) + 2
        text = text[: TOTAL_TOKENS - start - 1] or [separator]
        return Tokens([first, *context, separator, *text, separator], start, start + len(text))


def collate(batch: Sequence[Tokens], pad: int) -> tuple[Any, Any, Any]:
    """Padded ids, attention mask and text mask of a batch."""
    width = max(len(tokens.ids) for tokens in batch)
    ids = torch.full((len(batch), width), pad, dtype=torch.long)
    mask = torch.zeros((len(batch), width), dtype=torch.long)
    text = torch.zeros((len(batch), width))
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens.ids)] = torch.tensor(tokens.ids)
        mask[row, : len(tokens.ids)] = 1
        text[row, tokens.start : tokens.end] = 1
    return ids, mask, text


class LowRank(nn.Module):  # type: ignore[misc]  # torch is untyped where it is not installed
    """A trained low-rank delta on a frozen weight: W + 2·B·A (LoRA, arXiv 2106.09685).

    It is added to the weight, not run beside it: for short sentences on a CPU that halves the cost of a step.
    """

    def __init__(self, outputs: int, inputs: int, rank: int) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.empty(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)

    def forward(self, weight: Any) -> Any:
        """The weight with the delta added."""
        return weight + ALPHA_PER_RANK * (self.b @ self.a)


class SignalModel(nn.Module):  # type: ignore[misc]  # torch is untyped where it is not installed
    """The encoder with an adapter of the given rank (0: trained in full, but for the words) and the four heads.

    Every answer is given per code: two signals of one sentence may differ in stance and subject. The words stay as they
    are: most of them occur in no training sentence, and would be left behind.
    """

    def __init__(self, model_dir: Path, rank: int, dropout: float) -> None:
        super().__init__()
        self.rank = rank
        self.base: Any = BertModel.from_pretrained(str(model_dir), add_pooling_layer=False)
        if rank:
            self._adapt()
        else:
            self.base.embeddings.word_embeddings.requires_grad_(False)
        width = self.base.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.attention = nn.Linear(width, len(CODES), bias=False)
        self.code = nn.Linear(width, len(CODES))
        self.stance = nn.Linear(width, len(STANCES))
        self.stance_code = nn.Embedding(len(CODES), len(STANCES))
        self.subject = nn.Linear(width, len(SUBJECTS))
        self.severity = nn.Linear(width, len(SEVERITIES))
        nn.init.zeros_(self.attention.weight)
        nn.init.zeros_(self.stance_code.weight)
        nn.init.constant_(self.code.bias, -3.0)  # a code is rare: start from its prior

    def _adapt(self) -> None:
        self.base.requires_grad_(False)
        for layer in self.base.encoder.layer:
            for module in layer.modules():
                if isinstance(module, nn.Linear):
                    delta = LowRank(module.out_features, module.in_features, self.rank)
                    parametrize.register_parametrization(module, "weight", delta)

    def forward(self, ids: Any, mask: Any, text: Any) -> tuple[Any, Any, Any, Any]:
        """Logits per code: whether it is stated [n, C], stances [n, C, 5], subjects [n, C, 6], severities [n, C, 3]."""
        hidden = self.base(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        with torch.autocast("cpu", enabled=False):
            looks = self.attention(hidden).masked_fill(text.unsqueeze(-1) == 0, float("-inf")).softmax(1)
            seen = self.dropout(looks.transpose(1, 2) @ hidden)
            stated = (seen * self.code.weight).sum(-1) + self.code.bias
            return stated, self.stance(seen) + self.stance_code.weight, self.subject(seen), self.severity(seen)
