"""What an encoder makes of texts is kept while it is trained for something else.

The encoder that tells signals also embeds descriptions of activities, whole and without adapter. Where it is trained in
full, every step looks at some of those texts as well, and pulls their embeddings back to what the encoder made of them
before: learning without forgetting (arXiv 1606.09282).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import AutoTokenizer, BertModel

from credit_signals.tuning.pooling import mean_over_tokens

logger = logging.getLogger(__name__)

LONGEST = 90  # tokens of a text: its beginning is enough to hold the encoder
AT_ONCE = 64
TOGETHER = 3  # texts looked at in a step, for a batch of 16 sentences


class KeptTexts:
    """Texts and what the encoder of a folder makes of them: the mean over their tokens, scaled to length 1."""

    def __init__(self, model_dir: Path, texts: Sequence[str], seed: int) -> None:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(model_dir))
        encoded = tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
        self._tokens: list[list[int]] = sorted(encoded, key=len)  # neighbours are of one length: little is padding
        self._pad: int = tokenizer.pad_token_id
        self._dice = random.Random(seed)  # noqa: S311  # an order, not a secret
        self._wanted = self._made_by(BertModel.from_pretrained(str(model_dir), add_pooling_layer=False).eval())

    def loss(self, encoder: Any, sentences: int) -> Any:
        """How far some of the texts have moved: the mean of 1 - cosine. `sentences`: the size of the step's batch."""
        count = max(1, sentences * TOGETHER // 16)
        start = self._dice.randrange(max(1, len(self._tokens) - count + 1))
        made = self._embed(encoder, self._tokens[start : start + count])
        return (1 - (made * self._wanted[start : start + count]).sum(1)).mean()

    def nearness(self, encoder: Any) -> float:
        """The mean cosine of all texts to what was made of them before."""
        return float((self._made_by(encoder) * self._wanted).sum(1).mean())

    def _made_by(self, encoder: Any) -> Any:
        parts = range(0, len(self._tokens), AT_ONCE)
        with torch.inference_mode():
            made = torch.cat([self._embed(encoder, self._tokens[start : start + AT_ONCE]) for start in parts])
        logger.info("embedded %d texts that are to be kept", len(made))
        return made.clone()

    def _embed(self, encoder: Any, tokens: Sequence[list[int]]) -> Any:
        width = max(map(len, tokens))
        ids = torch.tensor([each + [self._pad] * (width - len(each)) for each in tokens])
        mask = torch.tensor([[1] * len(each) + [0] * (width - len(each)) for each in tokens])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return functional.normalize(mean_over_tokens(encoder, ids, mask), dim=1)
