"""What is asked of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.errors import ConfigurationError
from credit_signals.planning.durations import show_duration

DAY = 86_400.0
HUGE_COMPANIES = 200_000_000  # more than any published crawl of company websites
SHORT_PERIOD = DAY
MANY_PAGES = 100
POLITE_DELAY = 0.1
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """So many companies, all of them crawled and read again every `every` seconds.

    A pass is to be crawled and read `within` so many seconds of that. `hosts`, `min_delay`, `queue_length`: as in the
    settings. `keep_days`: of runs, as in the DAG keep_house. `read_node`, `crawl_node`: instance types of the price
    table. `spot`: readers run on spot instances. Raises ConfigurationError for what cannot be.
    """

    companies: int
    every: float
    pages: float = 12
    within: float = 0.0  # 0: all of `every`
    hosts: int = 50
    min_delay: float = 0.2
    site_seconds: float = 120.0
    queue_length: int = 50_000
    keep_days: float = 90.0
    read_node: str = "c7a.large"
    crawl_node: str = "c7a.large"
    spot: bool = True

    def __post_init__(self) -> None:
        if self.companies < 1 or self.pages < 1:
            raise ConfigurationError("a plan needs at least 1 company and 1 page of each")
        if self.every <= 0 or not 0 <= self.within <= self.every:
            raise ConfigurationError("a pass is to be done within the time between two passes, which is more than 0")
        if min(self.hosts, self.queue_length) < 1 or min(self.min_delay, self.site_seconds, self.keep_days) < 0:
            raise ConfigurationError("hosts and queue length are at least 1; delay, site seconds, keep days at least 0")

    @property
    def window(self) -> float:
        """Seconds in which a pass is to be done."""
        return self.within or self.every

    @property
    def passes_kept(self) -> float:
        """Passes whose rows are in the store at once; what was crawled last stays however old it is."""
        return max(1.0, self.keep_days * DAY / self.every)


def doubts(wish: Wish, pages_found: float) -> list[str]:
    """What in a wish is unlikely, in sentences. `pages_found`: pages of a site on average, where that was counted."""
    found = []
    if wish.pages > pages_found * 1.5:
        found.append(
            f"{wish.pages:g} pages a company is an upper bound: the sites that were measured have {pages_found:.1f}; "
            "give the mean of your own first crawl"
        )
    if wish.pages > MANY_PAGES:
        found.append(f"{wish.pages:g} pages a company is a deep crawl: owners will notice it")
    if wish.every < SHORT_PERIOD:
        found.append(f"every {show_duration(wish.every)} is oftener than small companies change anything")
    if wish.companies > HUGE_COMPANIES:
        found.append(f"{wish.companies:,} companies are more than have websites in any list that is known")
    if wish.min_delay < POLITE_DELAY:
        found.append(f"{wish.min_delay:g} s between two requests to a host is impolite: expect to be blocked")
    if wish.within and wish.within < wish.every * HALF:
        found.append(
            f"within {show_duration(wish.within)} needs {wish.every / wish.within:.1f} times the machines of a crawl "
            "that is spread over the whole period"
        )
    if wish.keep_days * DAY < wish.every:
        found.append("runs are kept for less than one period: signals that vanish cannot be told from unread pages")
    return found
