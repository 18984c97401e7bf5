"""The domain graph of a site: its pages, the links between them, and how central each page is."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx

from credit_signals.domain import Fetch, FetchStatus, GraphEdge, GraphNode, Page, PageRole, SiteGraph

_UNFETCHED_KEPT = 200  # linked pages that were never fetched; the most linked stay
_EDGES_KEPT = 20_000
_ANCHOR_LENGTH = 120
_TITLE_LENGTH = 200
_DAMPING = 0.85  # Brin and Page, 1998
_ROUNDS = 100
_SETTLED = 1e-10


def build_site_graph(company_id: str, pages: Sequence[Page], fetches: Sequence[Fetch]) -> SiteGraph:
    """The graph of a company's site, in a fixed order whatever the order of the pages.

    Nodes are the fetched pages, the pages asked for without success, and the linked pages of the same hosts that were
    never asked for (the most linked of them). A link through a redirect counts for the page that it ends on.
    """
    fetched = {page.url: page for page in sorted(pages, key=lambda page: page.url)}
    ends_on = {fetch.url: fetch.final_url for fetch in fetches if fetch.final_url in fetched}
    statuses = _statuses(fetches, fetched, ends_on)
    graph = _links(fetched, ends_on, {_host(url) for url in [*fetched, *statuses]})
    graph.add_nodes_from(fetched)
    graph.add_nodes_from(statuses)
    _forget_rare(graph, {*fetched, *statuses})
    ranks = _page_ranks(graph)
    depths = _depths(graph, fetched)
    nodes = [_node(url, fetched.get(url), statuses.get(url), ranks[url], depths[url]) for url in graph.nodes]
    edges = sorted((source, target, str(link["anchor"])) for source, target, link in graph.edges(data=True))
    return SiteGraph(
        company_id=company_id,
        nodes=tuple(sorted(nodes, key=lambda node: (node.depth, -node.rank, node.url))),
        edges=tuple(
            GraphEdge(source=source, target=target, anchor=anchor) for source, target, anchor in edges[:_EDGES_KEPT]
        ),
    )


def _statuses(fetches: Sequence[Fetch], fetched: dict[str, Page], ends_on: dict[str, str]) -> dict[str, FetchStatus]:
    """The outcome of each URL that was asked for, redirects counted for the page that they end on."""
    statuses: dict[str, FetchStatus] = {}
    for fetch in sorted(fetches, key=lambda fetch: (fetch.fetched_at, fetch.url)):
        statuses[ends_on.get(fetch.url, fetch.url)] = fetch.status
    hosts = {_host(url) for url in fetched}
    return {url: status for url, status in statuses.items() if not hosts or _host(url) in hosts}


def _links(fetched: dict[str, Page], ends_on: dict[str, str], hosts: set[str]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for page in fetched.values():
        for link in page.links:
            target = ends_on.get(link.url, link.url)
            if target == page.url or _host(target) not in hosts:
                continue
            anchor = link.anchor[:_ANCHOR_LENGTH]
            if not graph.has_edge(page.url, target):
                graph.add_edge(page.url, target, anchor=anchor)
            elif not graph.edges[page.url, target]["anchor"]:
                graph.edges[page.url, target]["anchor"] = anchor
    return graph


def _host(url: str) -> str:
    """The host of an absolute URL, `www.` apart; the text itself of anything else."""
    return url.partition("//")[2].partition("/")[0].partition("?")[0].lower().removeprefix("www.") or url


def _forget_rare(graph: nx.DiGraph[str], known: set[str]) -> None:
    unfetched = sorted((url for url in graph if url not in known), key=lambda url: (-graph.in_degree(url), url))
    graph.remove_nodes_from(unfetched[_UNFETCHED_KEPT:])


def _page_ranks(graph: nx.DiGraph[str]) -> dict[str, float]:
    """PageRank by power iteration; a page without links passes its rank to all. Sums to 1.

    networkx computes it through SciPy, a large dependency for graphs of some hundred pages.
    """
    if not graph:
        return {}
    number = {url: position for position, url in enumerate(sorted(graph))}
    size = len(number)
    targets = [sorted(number[target] for target in graph.successors(url)) for url in sorted(graph)]
    ranks = [1.0 / size] * size
    for _ in range(_ROUNDS):
        idle = sum(rank for rank, out in zip(ranks, targets, strict=True) if not out)
        following = [(1.0 - _DAMPING + _DAMPING * idle) / size] * size
        for rank, out in zip(ranks, targets, strict=True):
            for target in out:
                following[target] += _DAMPING * rank / len(out)
        change = sum(abs(new - old) for new, old in zip(following, ranks, strict=True))
        ranks = following
        if change < _SETTLED * size:
            break
    total = sum(ranks)
    return {url: ranks[position] / total for url, position in number.items()}


def _depths(graph: nx.DiGraph[str], fetched: dict[str, Page]) -> dict[str, int]:
    """The crawl's depth of fetched pages; of others one more than the nearest page that links to them."""
    deepest = max((page.depth for page in fetched.values()), default=0)
    depths = {url: page.depth for url, page in fetched.items()}
    for url in graph:
        if url not in fetched:
            sources = [fetched[source].depth for source in graph.predecessors(url) if source in fetched]
            depths[url] = min(sources) + 1 if sources else (deepest + 1 if fetched else 0)
    return depths


def _node(url: str, page: Page | None, status: FetchStatus | None, rank: float, depth: int) -> GraphNode:
    return GraphNode(
        url=url,
        role=page.role if page else PageRole.OTHER,
        depth=depth,
        rank=rank,
        title=page.title[:_TITLE_LENGTH] if page else "",
        status=status or (FetchStatus.OK if page else None),
    )
