"""The graph as a self-contained SVG picture: no script, no font, no style sheet from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from credit_signals.domain import FetchStatus, GraphNode, PageRole, SiteGraph
from credit_signals.graph.formats import xml_text
from credit_signals.graph.layout import COLUMN_WIDTH, Layout, Placed, lay_out

# Okabe and Ito's palette and its neighbours: told apart with colour-blind eyes too.
_COLOURS = {
    PageRole.HOME: "#1b1f24",
    PageRole.ABOUT: "#0072b2",
    PageRole.TEAM: "#56b4e9",
    PageRole.NEWS: "#d55e00",
    PageRole.JOBS: "#e69f00",
    PageRole.IMPRINT: "#009e73",
    PageRole.PRODUCTS: "#cc79a7",
    PageRole.CONTACT: "#117a65",
    PageRole.LEGAL: "#8d6e63",
    PageRole.OTHER: "#9aa0a6",
}
_REACHED = {FetchStatus.OK, FetchStatus.NOT_MODIFIED}
_FAILED_COLOUR = "#c62828"
_LABEL_LENGTH = 28
_LABEL_GAP = 13
_CURVE = 70  # pixels left of a column in which links bend
_CHARACTER_WIDTH = 5.9  # of the label's font, about
_MARGIN = 24
_LEGEND_HEIGHT = 34
_LEGEND_STEP = 96
_NAME_SEPARATOR = re.compile(r"\s[|–—·•»-]\s|\s?\|\s?")
_STYLE = (
    "text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#24292f}"
    ".tree{fill:none;stroke:#b6bec8;stroke-width:1.1}.cross{fill:none;stroke:#dfe4ea;stroke-width:.8}"
    ".quiet{fill:#6a737d}"
)


def to_svg(graph: SiteGraph) -> str:
    """The graph drawn from the home page on the left, one column per depth; the same graph gives the same bytes.

    Size tells rank, colour the role; a hollow circle is a page that was not fetched, a red one a page that failed.
    Each page's title, address and outcome is its tooltip.
    """
    layout = lay_out(graph)
    legend = list(_legend(graph))
    wide = max(layout.width, 3 * COLUMN_WIDTH if len(legend) > 4 else 2 * COLUMN_WIDTH)  # noqa: PLR2004 - a legend's row
    per_row = max(1, int(wide // _LEGEND_STEP))
    head = _LEGEND_HEIGHT + (len(legend) - 1) // per_row * 18 if legend else 0
    width, height = wide + 2 * _MARGIN, layout.height + 2 * _MARGIN + head + 18
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="Pages of the site and their links">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for position, (colour, label, hollow) in enumerate(legend):
        x, y = _MARGIN + position % per_row * _LEGEND_STEP, _MARGIN + position // per_row * 18
        parts.append(_circle(x + 6, y, 5, colour, hollow=hollow))
        parts.append(f'<text x="{x + 16:g}" y="{y + 4:g}">{escape(label)}</text>')
    parts.append(f'<g transform="translate({_MARGIN + 8},{_MARGIN + head + 8})">')
    parts.extend(_link(source, target, "cross") for source, target in layout.cross)
    parts.extend(_link(source, target, "tree") for source, target in layout.tree)
    parts.extend(_page(placed, layout) for placed in layout.placed)
    parts.append("</g>")
    parts.append(f'<text class="quiet" x="{_MARGIN}" y="{height - 12:g}">{_caption(graph, layout)}</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def _legend(graph: SiteGraph) -> Iterator[tuple[str, str, bool]]:
    roles = {node.role for node in graph.nodes if node.status in _REACHED}
    yield from ((_COLOURS[role], str(role), False) for role in PageRole if role in roles)
    if any(_failed(node) for node in graph.nodes):
        yield _FAILED_COLOUR, "failed", True
    if any(node.status in {None, FetchStatus.BUDGET_SPENT} for node in graph.nodes):
        yield _COLOURS[PageRole.OTHER], "not fetched", True


def _failed(node: GraphNode) -> bool:
    return node.status not in {None, FetchStatus.BUDGET_SPENT, *_REACHED}


def _circle(x: float, y: float, radius: float, colour: str, *, hollow: bool) -> str:
    fill = "#fff" if hollow else colour
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:.1f}" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def _link(source: Placed, target: Placed, kind: str) -> str:
    """A curve between two pages; one that leads to the right starts behind the label, not under it."""
    if target.x > source.x:
        label_end, end = source.x + _LABEL_GAP + _label_width(source.node), target.x
        start = max(label_end, source.x + COLUMN_WIDTH - _CURVE)
        middle = (start + end) / 2
        lead = f"M{label_end:g} {source.y:g}H{start:g}"
    else:
        end = target.x
        middle = min(source.x, target.x) - _LABEL_GAP * 2
        lead = f"M{source.x:g} {source.y:g}"
    path = f"{lead}C{middle:g} {source.y:g} {middle:g} {target.y:g} {end:g} {target.y:g}"
    return f'<path class="{kind}" d="{path}"/>'


def _page(placed: Placed, layout: Layout) -> str:
    node = placed.node
    highest = max((each.node.rank for each in layout.placed), default=1.0) or 1.0
    radius = 4 + 5 * (node.rank / highest) ** 0.5
    colour = _FAILED_COLOUR if _failed(node) else _COLOURS[node.role]
    status = str(node.status) if node.status else "not fetched"
    tooltip = f"{node.title or node.url}\n{node.url}\n{node.role}, {status}, rank {node.rank:.3f}"
    label = _label(node)
    quiet = "" if node.status in _REACHED else ' class="quiet"'
    x, y = placed.x + _LABEL_GAP, placed.y
    return (
        f"<g><title>{escape(xml_text(tooltip))}</title>"
        f'<rect x="{x - 2:g}" y="{y - 8:g}" width="{_label_width(node):g}" height="16" fill="#fff" opacity=".82"/>'
        f"{_circle(placed.x, y, radius, colour, hollow=node.status not in _REACHED)}"
        f'<text{quiet} x="{x:g}" y="{y + 4:g}">{escape(xml_text(label))}</text></g>'
    )


def _label_width(node: GraphNode) -> float:
    return 4 + _CHARACTER_WIDTH * len(_label(node))


def _label(node: GraphNode) -> str:
    """The page's own part of its title, else the end of its path."""
    parts = urlsplit(node.url)
    path = parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or node.url
    own = _NAME_SEPARATOR.split(node.title.strip(), maxsplit=1)[0].strip() if node.title else ""
    label = own or (f"{path}?{parts.query}" if parts.query else path)
    return label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 1].rstrip() + "…"


def _caption(graph: SiteGraph, layout: Layout) -> str:
    fetched = sum(node.status in _REACHED for node in graph.nodes)
    told = f"{fetched} of {len(graph.nodes)} known pages fetched, {len(graph.edges)} links"
    if layout.nodes_left_out:
        told += f"; {layout.nodes_left_out} less central pages not drawn"
    if layout.links_left_out > 0:
        told += f"; {layout.links_left_out} links between pages not drawn"
    return escape(told)
