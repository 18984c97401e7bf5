"""Where each page stands in the picture: one column per depth, children in the order of their parents."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.domain import GraphNode, SiteGraph

COLUMN_WIDTH = 250
ROW_HEIGHT = 24
_ROWS = 44  # of a column; a fuller depth goes on in the next column
_NODES_DRAWN = 300
_CROSS_LINKS_DRAWN = 60  # more than that is a menu that links everything with everything


@dataclass(frozen=True, slots=True)
class Placed:
    """A page at its place, in pixels."""

    node: GraphNode
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Layout:
    """All that is drawn. `tree` and `cross` hold the places of linked pages, parents first."""

    placed: tuple[Placed, ...]
    tree: tuple[tuple[Placed, Placed], ...]
    cross: tuple[tuple[Placed, Placed], ...]
    width: float
    height: float
    nodes_left_out: int
    links_left_out: int


def lay_out(graph: SiteGraph) -> Layout:
    """Place the pages of a graph: the most central ones where they are too many."""
    chosen = sorted(graph.nodes, key=lambda node: (node.status is None, -node.rank, node.url))[:_NODES_DRAWN]
    by_url = {node.url: node for node in chosen}
    parents = _parents(graph, by_url)
    columns = [column for layer in _layers(chosen, parents) for column in _wrapped(layer)]
    tallest = max((len(column) for column in columns), default=1)
    places: dict[str, Placed] = {}
    for number, column in enumerate(columns):
        top = (tallest - len(column)) * ROW_HEIGHT / 2
        for row, node in enumerate(column):
            places[node.url] = Placed(node, number * COLUMN_WIDTH, top + row * ROW_HEIGHT)
    tree = tuple((places[parent], places[url]) for url, parent in sorted(parents.items()))
    cross = [
        (places[edge.source], places[edge.target])
        for edge in graph.edges
        if edge.source in places and edge.target in places and edge.target != edge.source
        if parents.get(edge.target) != edge.source and parents.get(edge.source) != edge.target
    ]
    shown = tuple(cross) if len(cross) <= _CROSS_LINKS_DRAWN else ()
    return Layout(
        placed=tuple(places[node.url] for column in columns for node in column),
        tree=tree,
        cross=shown,
        width=max(1, len(columns)) * COLUMN_WIDTH,
        height=tallest * ROW_HEIGHT,
        nodes_left_out=len(graph.nodes) - len(chosen),
        links_left_out=len(graph.edges) - len(tree) - len(shown),
    )


def _parents(graph: SiteGraph, by_url: dict[str, GraphNode]) -> dict[str, str]:
    """For each page the page one level up that links to it; the most central if there are several."""
    parents: dict[str, str] = {}
    for edge in graph.edges:
        source, target = by_url.get(edge.source), by_url.get(edge.target)
        if source is None or target is None or source.depth != target.depth - 1:
            continue
        known = parents.get(target.url)
        if known is None or (-source.rank, source.url) < (-by_url[known].rank, known):
            parents[target.url] = source.url
    return parents


def _layers(nodes: list[GraphNode], parents: dict[str, str]) -> list[list[GraphNode]]:
    layers: list[list[GraphNode]] = []
    order: dict[str, int] = {}
    for depth in sorted({node.depth for node in nodes}):
        layer = sorted(
            (node for node in nodes if node.depth == depth),
            key=lambda node: (
                order.get(parents.get(node.url, ""), len(order)),
                node.status is None,
                -round(node.rank, 9),
                node.url,
            ),
        )
        order.update({node.url: position for position, node in enumerate(layer, start=len(order))})
        layers.append(layer)
    return layers


def _wrapped(layer: list[GraphNode]) -> list[list[GraphNode]]:
    """The layer in columns of about the same height."""
    columns = -(-len(layer) // _ROWS)
    height = -(-len(layer) // columns)
    return [layer[start : start + height] for start in range(0, len(layer), height)]
