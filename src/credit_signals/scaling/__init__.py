"""How many worker pods there should be, and how a cluster is told so."""

from credit_signals.scaling.sizing import Demand, SizingRule, choose_replicas, explain, workers_needed

__all__ = ["Demand", "SizingRule", "choose_replicas", "explain", "workers_needed"]
