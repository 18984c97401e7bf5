"""The pipeline from crawl to answer as a discrete-event simulation: queue, pods, nodes, interruptions, store."""

from credit_signals.planning.simulation.outcome import Outcome, Sample
from credit_signals.planning.simulation.scenario import Arrival, Cluster, PodModel, Scenario, Services
from credit_signals.planning.simulation.simulate import simulate

__all__ = ["Arrival", "Cluster", "Outcome", "PodModel", "Sample", "Scenario", "Services", "simulate"]
