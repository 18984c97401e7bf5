"""From predictions to signals, activities and the risk gauge."""

from credit_signals.scoring.activities import find_activities
from credit_signals.scoring.gauge import score_company
from credit_signals.scoring.signals import find_signals, find_unsure, follow_signals
from credit_signals.scoring.weights import Weights, load_weights

__all__ = [
    "Weights",
    "find_activities",
    "find_signals",
    "find_unsure",
    "follow_signals",
    "load_weights",
    "score_company",
]
