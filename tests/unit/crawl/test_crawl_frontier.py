"""The order and bounds of the frontier."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from credit_signals.crawl.frontier import MAX_PER_SHAPE, Frontier
from credit_signals.crawl.urls import Site

HOME = "https://acme.example/"


def taken(frontier: Frontier) -> list[str]:
    """All URLs in order, without the host."""
    return [known.url.removeprefix(HOME) for known in frontier.waiting()]


def test_important_roles_first_and_in_turn() -> None:
    """One page of each important role comes before the second product page."""
    frontier = Frontier(Site(HOME), 4)
    for path in ("privacy", "products/a", "products/b", "products/c", "misc", "jobs", "team", "about", "impressum"):
        frontier.add(HOME + path, 1)
    order = taken(frontier)
    assert order[:3] == ["impressum", "about", "team"]
    assert order.index("jobs") < order.index("products/b")
    assert order[-1] in {"privacy", "products/c"}


def test_a_better_anchor_raises_a_page() -> None:
    """A page that was taken for unknown is raised when a link calls it by its role."""
    frontier = Frontier(Site(HOME), 4)
    for path in ("products/a", "node/7", "node/8"):
        frontier.add(HOME + path, 1)
    frontier.add(HOME + "node/8", 2, "Impressum")
    assert taken(frontier)[0] == "node/8"


def test_index_pages_and_foreign_hosts() -> None:
    """A folder and its index page are one; foreign hosts and too deep pages are not taken."""
    frontier = Frontier(Site(HOME), 2)
    assert frontier.add(HOME + "x/", 1)
    assert frontier.add(HOME + "x/index.html", 1)
    assert not frontier.add("https://other.example/", 1)
    assert not frontier.add(HOME + "deep", 3)
    assert taken(frontier) == ["x/"]


def test_generated_pages_are_bounded() -> None:
    """Numbered pages stop at a fixed count."""
    frontier = Frontier(Site(HOME), 4)
    for number in range(1000):
        frontier.add(f"{HOME}item/{number}", 1)
    assert len(taken(frontier)) == MAX_PER_SHAPE


PATHS = st.lists(
    st.tuples(
        st.sampled_from(["", "index.html", "about", "news", "x/", "x/index.php", "team?id=1", "a.pdf", "de/"]),
        st.integers(0, 5),
        st.sampled_from(["", "About us", "Impressum", "News"]),
    ),
    max_size=40,
)


@given(PATHS)
def test_each_url_once_whatever_comes(adds: list[tuple[str, int, str]]) -> None:
    """However links arrive, every known URL is given exactly once and equal input gives equal order."""
    orders = []
    for _ in range(2):
        frontier = Frontier(Site(HOME), 4)
        for path, depth, anchor in adds:
            frontier.add(HOME + path, depth, anchor)
        orders.append(taken(frontier))
    assert orders[0] == orders[1]
    assert len(orders[0]) == len(set(orders[0]))
    accepted = {HOME + path for path, depth, _ in adds if depth <= 4 and not path.endswith(".pdf")}
    assert {frontier.resolve(url) for url in accepted} == {HOME + path for path in orders[0]}
