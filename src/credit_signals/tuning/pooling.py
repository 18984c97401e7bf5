"""The embedding of a text, as the served encoder makes it: the mean over its tokens."""

from __future__ import annotations

from typing import Any


def mean_over_tokens(encoder: Any, ids: Any, mask: Any) -> Any:
    """Embeddings [n, width] of texts as padded ids and attention mask, both [n, tokens]; not scaled."""
    hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    seen = mask.unsqueeze(-1)
    return (hidden * seen).sum(1) / seen.sum(1)
