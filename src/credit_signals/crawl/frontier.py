"""Which page next: the important roles first, each role in turn, generated URLs bounded."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from credit_signals.crawl.roles import classify_role
from credit_signals.crawl.urls import Site, folder_of_index, is_page_url, is_trap, shape_of
from credit_signals.domain import PageRole

# Cost of the next page of a role: cost * (pages of it taken + 1). The imprint is taken at once; by the time of the
# fourth product page a page of unknown role has had its turn.
COSTS = {
    PageRole.HOME: 0.5,
    PageRole.IMPRINT: 1.0,
    PageRole.ABOUT: 1.1,
    PageRole.TEAM: 1.2,
    PageRole.NEWS: 1.3,
    PageRole.CONTACT: 1.6,
    PageRole.JOBS: 1.4,
    PageRole.PRODUCTS: 1.5,
    PageRole.OTHER: 2.5,
    PageRole.LEGAL: 6.0,
}
MAX_KNOWN = 5_000
MAX_PER_SHAPE = 20
MAX_PER_PATH = 10  # query strings of one path
MAX_ANCHORS = 20


@dataclass(slots=True)
class Known:
    """A URL of the site and how it came to be known."""

    url: str
    depth: int
    order: int
    anchors: list[str] = field(default_factory=list)
    role: PageRole = PageRole.OTHER
    taken: bool = False


class Frontier:
    """The known URLs of one site; gives each once, in the same order for the same site."""

    def __init__(self, site: Site, max_depth: int) -> None:
        self._site = site
        self._max_depth = max_depth
        self._known: dict[str, Known] = {}
        self._queues: dict[PageRole, list[tuple[int, int, int, str]]] = {role: [] for role in PageRole}
        self._taken: Counter[PageRole] = Counter()
        self._shapes: Counter[str] = Counter()
        self._paths: Counter[str] = Counter()
        self._order = count()

    def resolve(self, url: str) -> str:
        """The form under which a canonical URL of the site goes: one scheme, one of www or not, one index page."""
        own = self._site.adopt(url)
        if own in self._known:
            return own
        folder = folder_of_index(own)
        if folder is not None and (folder in self._known or urlsplit(folder).path == "/"):
            return folder
        return own

    def add(self, url: str, depth: int, anchor: str = "") -> bool:
        """Make a URL known, or learn another anchor for it; False if it will never be given."""
        if not self._site.holds(url):
            return False
        own = self.resolve(url)
        known = self._known.get(own)
        if known is None:
            if depth > self._max_depth or len(self._known) >= MAX_KNOWN or not is_page_url(own) or self._is_trap(own):
                return False
            known = self._known[own] = Known(own, depth, next(self._order))
        elif not anchor or anchor in known.anchors or len(known.anchors) >= MAX_ANCHORS:
            known.depth = min(known.depth, depth)
            return True
        if anchor:
            known.anchors.append(anchor)
        known.depth = min(known.depth, depth)
        role = classify_role(own, known.anchors)
        if not known.taken and (role is not known.role or len(known.anchors) <= 1):
            self._push(known, role)
        return True

    def take(self) -> Known | None:
        """The next URL to ask for, or None when all known ones were given."""
        while True:
            waiting = [role for role in PageRole if self._queues[role]]
            if not waiting:
                return None
            role = min(waiting, key=lambda role: COSTS[role] * (self._taken[role] + 1))
            *_, url = heapq.heappop(self._queues[role])
            known = self._known[url]
            if not known.taken and known.role is role:  # else an older entry of a URL whose role changed
                known.taken = True
                self._taken[role] += 1
                return known

    def mark_taken(self, url: str) -> bool:
        """Note that a URL was fetched by another way (a redirect); False if it had been given or marked before."""
        own = self.resolve(url)
        known = self._known.get(own)
        if known is None:
            known = self._known[own] = Known(own, 0, next(self._order))
        before, known.taken = known.taken, True
        return not before

    def waiting(self) -> Iterator[Known]:
        """The known URLs that were not given, most important first."""
        while (known := self.take()) is not None:
            yield known

    def knows(self, url: str) -> bool:
        """Whether a canonical URL is known under any of its forms."""
        return self.resolve(url) in self._known

    def anchors(self, url: str) -> list[str]:
        """The anchor texts that led to a URL."""
        known = self._known.get(self.resolve(url))
        return known.anchors if known else []

    def _push(self, known: Known, role: PageRole) -> None:
        known.role = role
        segments = urlsplit(known.url).path.count("/")
        heapq.heappush(self._queues[role], (known.depth, segments, known.order, known.url))

    def _is_trap(self, url: str) -> bool:
        if is_trap(url):
            return True
        shape, parts = shape_of(url), urlsplit(url)
        path = parts.path if parts.query else ""
        if self._shapes[shape] >= MAX_PER_SHAPE or (path and self._paths[path] >= MAX_PER_PATH):
            return True
        self._shapes[shape] += 1
        self._paths[path] += 1
        return False
