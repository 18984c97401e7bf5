"""The domain graph of a company's site."""

from credit_signals.graph.building import build_site_graph
from credit_signals.graph.drawing import to_svg
from credit_signals.graph.formats import to_graphml, to_json

__all__ = ["build_site_graph", "to_graphml", "to_json", "to_svg"]
