"""The domain graph: what is in it, and how it is drawn and exported."""

import json
from datetime import UTC, datetime

import networkx as nx
import pytest
from lxml import etree

from credit_signals.domain import Fetch, FetchStatus, Link, Page, PageRole, SiteGraph
from credit_signals.graph import build_site_graph, to_graphml, to_json, to_svg

AT = datetime(2024, 5, 1, tzinfo=UTC)
ROOT = "https://firm.example/"


def page(path: str, *targets: str, depth: int = 1, role: PageRole = PageRole.OTHER, title: str = "") -> Page:
    """A page of the site and the links on it."""
    links = tuple(Link(url=target if "//" in target else ROOT + target, anchor=f"to {target}") for target in targets)
    return Page(
        id=path,
        company_id="c",
        url=ROOT + path,
        html="",
        depth=depth,
        role=role,
        title=title,
        links=links,
        fetched_at=AT,
    )


def fetch(path: str, status: FetchStatus = FetchStatus.OK, final: str | None = None) -> Fetch:
    """The outcome of asking for a path."""
    return Fetch(
        company_id="c",
        url=ROOT + path,
        final_url=ROOT + (path if final is None else final),
        status=status,
        fetched_at=AT,
    )


def site() -> SiteGraph:
    """A small site with a redirect, a dead page, and a page never asked for."""
    pages = [
        page("", "news", "old", "gone", "https://elsewhere.example/x", depth=0, role=PageRole.HOME, title="Firm"),
        page("news", "", "news/1", "unknown", role=PageRole.NEWS, title="News <b>& more</b> | Firm"),
        page("news/1", "", depth=2, role=PageRole.NEWS),
        page("about", "", role=PageRole.ABOUT),
    ]
    fetches = [fetch(""), fetch("news"), fetch("news/1"), fetch("old", final="about"), fetch("about")]
    return build_site_graph("c", pages, [*fetches, fetch("gone", FetchStatus.HTTP_ERROR)])


def big_site(size: int) -> SiteGraph:
    """A site with a menu on every page and several depths."""
    paths = ["", *(f"p/{number}" for number in range(1, size))]
    pages = [
        page(path, *paths[:20], *paths[number * 9 : number * 9 + 9], depth=min(number, 1 + number // 40))
        for number, path in enumerate(paths)
    ]
    return build_site_graph("c", pages, [fetch(path) for path in paths])


def test_nodes_are_pages_fetched_failed_and_known() -> None:
    """A page that failed and one that was never asked for are in the graph; other sites are not."""
    nodes = {node.url.removeprefix(ROOT): node for node in site().nodes}
    assert set(nodes) == {"", "news", "news/1", "about", "gone", "unknown"}
    assert (nodes["gone"].status, nodes["unknown"].status) == (FetchStatus.HTTP_ERROR, None)
    assert (nodes["unknown"].depth, nodes["unknown"].role) == (2, PageRole.OTHER)
    assert nodes["gone"].depth == 1


def test_links_through_redirects_count_for_their_end() -> None:
    """The old address of a page is the page."""
    edges = {(edge.source.removeprefix(ROOT), edge.target.removeprefix(ROOT)): edge.anchor for edge in site().edges}
    assert edges["", "about"] == "to old"


def test_ranks_sum_to_one_and_follow_networkx() -> None:
    """PageRank as published: the shares are those of the stationary walk."""
    graph = site()
    assert sum(node.rank for node in graph.nodes) == pytest.approx(1)
    walk: nx.DiGraph[str] = nx.DiGraph([(edge.source, edge.target) for edge in graph.edges])
    urls = sorted(walk)
    for node in graph.nodes:
        arriving = sum(
            next(each.rank for each in graph.nodes if each.url == source) / walk.out_degree(source)
            for source in walk.predecessors(node.url)
        )
        idle = sum(each.rank for each in graph.nodes if not walk.out_degree(each.url))
        assert node.rank == pytest.approx(0.15 / len(urls) + 0.85 * (arriving + idle / len(urls)), abs=1e-6)


def test_the_order_of_pages_does_not_matter() -> None:
    """The same site gives the same graph and the same picture."""
    pages = [page("", "a", "b", depth=0), page("a", "b"), page("b", "a")]
    first = build_site_graph("c", pages, [])
    second = build_site_graph("c", list(reversed(pages)), [])
    assert first == second
    assert to_svg(first) == to_svg(second)


def test_unfetched_pages_are_bounded() -> None:
    """A page that links to thousands of addresses does not swell the graph; the most linked stay."""
    pages = [page("", *(f"x{number}" for number in range(5_000)), depth=0), page("a", "x4999")]
    graph = build_site_graph("c", pages, [])
    assert len(graph.nodes) <= 210
    assert ROOT + "x4999" in {node.url for node in graph.nodes}


def test_a_site_without_pages_has_an_empty_or_failed_graph() -> None:
    """A dead site still gives a graph and a picture."""
    assert build_site_graph("c", [], []).nodes == ()
    graph = build_site_graph("c", [], [fetch("", FetchStatus.DNS_ERROR)])
    assert [node.status for node in graph.nodes] == [FetchStatus.DNS_ERROR]
    for each in (build_site_graph("c", [], []), graph):
        etree.fromstring(to_svg(each).encode())
        to_graphml(each)
        to_json(each)


@pytest.mark.parametrize("size", [1, 8, 30, 200, 900])
def test_pictures_are_well_formed_and_self_contained(size: int) -> None:
    """An SVG without script or outside reference, however large the site."""
    svg = to_svg(big_site(size))
    root = etree.fromstring(svg.encode())
    tags = {etree.QName(element).localname for element in root.iter()}
    assert tags <= {"svg", "style", "rect", "g", "title", "circle", "text", "path"}
    assert "href" not in svg
    assert "url(" not in svg
    assert len(svg) < 1_000_000


def test_page_titles_are_escaped_in_pictures() -> None:
    """A title made of markup is shown, not executed; characters that XML cannot hold are replaced."""
    graph = build_site_graph("c", [page("", depth=0, title="<script>alert(1)</script>\x00\x1f & \ud800 co")], [])
    svg = to_svg(graph)
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in svg
    etree.fromstring(svg.encode())
    etree.fromstring(to_graphml(graph).encode())
    json.loads(to_json(graph))


def test_exports_can_be_read_back() -> None:
    """GraphML and JSON hold every page and link with their attributes."""
    graph = site()
    from_xml = nx.parse_graphml(to_graphml(graph))
    from_json = nx.node_link_graph(json.loads(to_json(graph)), edges="edges")
    for read in (from_xml, from_json):
        assert set(read.nodes) == {node.url for node in graph.nodes}
        assert set(read.edges) == {(edge.source, edge.target) for edge in graph.edges}
        assert read.nodes[ROOT + "news"]["role"] == "news"
