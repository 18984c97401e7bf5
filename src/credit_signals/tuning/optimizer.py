"""How fast each part of the signal reader learns."""

from __future__ import annotations

from typing import Any

from credit_signals.tuning.encoder import SignalModel

LAYER_DECAY = 0.9  # a layer's rate over that of the layer above it: the lower, the more general (arXiv 1801.06146)


def parameter_groups(model: SignalModel, rate: float, full_rate: float) -> list[dict[str, Any]]:
    """The trained parameters with their learning rates `lr`.

    Adapter and heads learn at `rate`; of an encoder that is trained in full the last layer learns at `full_rate`, each
    layer below at nine tenths of the one above, and the embeddings' own weights at the lowest.
    """
    if model.rank:
        return [{"params": _trained(model), "lr": rate}]
    encoder = set(model.base.parameters())
    groups = [{"params": [p for p in _trained(model) if p not in encoder], "lr": rate}]
    for depth, part in enumerate((*reversed(model.base.encoder.layer), model.base.embeddings)):
        groups.append({"params": _trained(part), "lr": full_rate * LAYER_DECAY**depth})
    return groups


def _trained(part: Any) -> list[Any]:
    return [parameter for parameter in part.parameters() if parameter.requires_grad]
