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
    return "\n".join(nx.generate_graphml(_as_networkx(graph, clean=True), named_key_ids=True)) + "\n"


def to_json(graph: SiteGraph) -> str:
    """The graph as node-link JSON: `{"directed", "multigraph", "graph", "nodes", "edges"}`."""
    data: dict[str, Any] = nx.node_link_data(_as_networkx(graph, clean=False), edges="edges")
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def _as_networkx(graph: SiteGraph, *, clean: bool) -> nx.DiGraph[str]:
    def text(value: str) -> str:
        return xml_text(value) if clean else value

    drawn: nx.DiGraph[str] = nx.DiGraph(company_id=text(graph.company_id))
    for node in graph.nodes:
        drawn.add_node(
            text(node.url),
            role=str(node.role),
            depth=node.depth,
            rank=round(node.rank, 9),
            title=text(node.title),
            status=str(node.status or ""),
        )
    for edge in graph.edges:
        drawn.add_edge(text(edge.source), text(edge.target), anchor=text(edge.anchor))
    return drawn
