"""How many worker pods there should be, and how a cluster is told so."""

from credit_signals.scaling.base import MemoryDeployment, Replicas, WorkerDeployment
from credit_signals.scaling.deployment import KubernetesDeployment
from credit_signals.scaling.pace import Look, Pace
from credit_signals.scaling.sizing import Demand, SizingRule, choose_replicas, explain, workers_needed

__all__ = [
    "Demand",
    "KubernetesDeployment",
    "Look",
    "MemoryDeployment",
    "Pace",
    "Replicas",
    "SizingRule",
    "WorkerDeployment",
    "choose_replicas",
    "explain",
    "workers_needed",
]
