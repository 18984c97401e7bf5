"""The graph in the formats of other tools: GraphML (Gephi, yEd) and node-link JSON (D3, networkx)."""

from __future__ import annotations

import json
import re
from typing import Any

import networkx as nx

from credit_signals.domain import SiteGraph

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def to_graphml(graph: SiteGraph) -> str:
    """The graph as GraphML, with role, depth, rank, title and status of each page and the anchor of each link."""
    return "\n".join(nx.generate_graphml(_as_networkx(graph), named_key_ids=True)) + "\n"


def to_json(graph: SiteGraph) -> str:
    """The graph as node-link JSON: `{"directed", "multigraph", "graph", "nodes", "edges"}`."""
    data: dict[str, Any] = nx.node_link_data(_as_networkx(graph), edges="edges")
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _as_networkx(graph: SiteGraph) -> nx.DiGraph[str]:
    drawn: nx.DiGraph[str] = nx.DiGraph(company_id=xml_text(graph.company_id))
    for node in graph.nodes:
        drawn.add_node(
            xml_text(node.url),
            role=str(node.role),
            depth=node.depth,
            rank=round(node.rank, 9),
            title=xml_text(node.title),
            status=str(node.status or ""),
        )
    for edge in graph.edges:
        drawn.add_edge(xml_text(edge.source), xml_text(edge.target), anchor=xml_text(edge.anchor))
    return drawn
