"""Where the design breaks: each part's limit, in companies at the wish's pace, and what to change then."""

from __future__ import annotations

import math
from dataclasses import dataclass

from credit_signals.planning.costs import Sized, database_cores
from credit_signals.planning.figures import Figures, Origin
from credit_signals.planning.loads import Load
from credit_signals.planning.prices import Prices
from credit_signals.planning.wish import Wish


@dataclass(frozen=True, slots=True)
class Limit:
    """A part that breaks at `companies` (infinite: it grows with the machines), by a figure of some `origin`."""

    part: str
    companies: float
    why: str
    origin: Origin
    then: str

    def load(self, wish: Wish) -> float:
        """How much of the limit the wish uses; 1 is all of it."""
        return wish.companies / self.companies if self.companies else math.inf


def find_limits(wish: Wish, first: Load, sized: Sized, figures: Figures, prices: Prices) -> list[Limit]:
    """Every limit that is known, the one that is met first at the top."""
    found = [
        *_whole_lists(wish, figures),
        *_database(wish, sized, figures, prices),
        *_queue(wish, first, sized, figures),
        *_crawl(wish, sized, figures),
    ]
    return sorted(found, key=lambda limit: limit.companies)


def _many(whole: float, each: float) -> float:
    return whole / each if each else math.inf


def _whole_lists(wish: Wish, figures: Figures) -> list[Limit]:
    """Parts that hold or show all companies of a run at once."""
    tasks = figures["live_share"] * wish.pages * figures["sections_per_page"]  # of a company
    return [
        Limit(
            "results page: searching a run by name",
            figures["page_answer_seconds"] / figures["search_cpu_seconds_per_company"],
            f"{figures['search_cpu_seconds_per_company'] * 1e6:.2g} microseconds a company, "
            f"{figures['page_answer_seconds']:g} s are waited for",
            Origin.MEASURED,
            "an index of trigrams over the names; pages without a search take a third of it",
        ),
        Limit(
            "each crawl shard lists all companies of the run",
            figures["process_memory_bytes"] / figures["listing_bytes_per_company"],
            f"{figures['listing_bytes_per_company']:.0f} bytes a company in a process of "
            f"{figures['process_memory_bytes'] / 2**30:g} GiB",
            Origin.MEASURED,
            "store the shard's number with the company and select by it; until then, smaller runs",
        ),
        Limit(
            "opening and scoring a run in one process",
            figures["process_memory_bytes"] / figures["opening_bytes_per_company"],
            f"{figures['opening_bytes_per_company']:.0f} bytes a company in a process of "
            f"{figures['process_memory_bytes'] / 2**30:g} GiB",
            Origin.MEASURED,
            "open a run per million companies; then read the list, and score, by shards",
        ),
        Limit(
            "asking how far a run is",
            figures["page_answer_seconds"] / figures["progress_seconds_per_task"] / tasks,
            f"{figures['progress_seconds_per_task'] * 1e6:.2g} microseconds a task of the run, at each look",
            Origin.MEASURED,
            "keep counts per run and company, or split runs",
        ),
    ]


def _database(wish: Wish, sized: Sized, figures: Figures, prices: Prices) -> list[Limit]:
    load, storage = sized.load, sized.storage
    largest = max(each.size for each in prices.services.values() if each.name.startswith("postgres."))
    commits = load.commits / wish.companies
    return [
        Limit(
            "Postgres: commits of one writer",
            figures["database_commits_per_second"] * wish.window / commits,
            f"{commits:.1f} commits a company, {figures['database_commits_per_second']:.0f} a second",
            Origin.MEASURED,
            "save fetches in groups (one commit per site, not per request); then a database per range of shards",
        ),
        Limit(
            "Postgres: processor of one writer",
            wish.companies * largest / database_cores(wish, load, figures),
            f"{largest:.0f} vCPUs, the largest in the price table, {figures['database_utilisation']:.0%} busy",
            Origin.MEASURED,
            "a database per range of shards: companies share nothing but readers and weights",
        ),
        Limit(
            "Postgres: size of one instance",
            wish.companies * figures["database_most_bytes"] / storage.store_kept,
            f"{storage.store_kept / wish.companies / 1e3:.0f} kB a company with {wish.passes_kept:.0f} passes kept",
            Origin.CITED,
            "keep fewer days, rows of unchanged sections by reference to an earlier run, or several databases",
        ),
    ]


def _queue(wish: Wish, first: Load, sized: Sized, figures: Figures) -> list[Limit]:
    per_company = sized.load.read_sections / wish.companies
    return [
        Limit(
            "Redis: the one thread behind the one stream",
            _many(figures["redis_utilisation"] / figures["redis_cpu_seconds_per_task"] * wish.window, per_company),
            f"{figures['redis_cpu_seconds_per_task'] * 1e6:.0f} microseconds a section from put to acknowledge",
            Origin.MEASURED,
            "a stream for each range of shards: keys already bear a hash tag for cluster mode",
        ),
        Limit(
            "Redis: memory",
            math.inf,
            f"{sized.storage.redis / 1e6:.0f} MB for a queue of {wish.queue_length:,} and its dead letters, at "
            f"{figures['redis_bytes_per_task']:.0f} bytes a section; a whole first pass would be "
            f"{first.read_sections * figures['redis_bytes_per_task'] / 1e9:,.1f} GB",
            Origin.MEASURED,
            "raise CREDIT_SIGNALS_QUEUE_LENGTH for bursts; when it is full the crawl waits",
        ),
    ]


def _crawl(wish: Wish, sized: Sized, figures: Figures) -> list[Limit]:
    crawl = sized.crawl
    per_process = wish.companies / max(crawl.by_processor, crawl.by_waiting)
    lookups_each = crawl.lookups_per_second / crawl.nodes
    slow = crawl.site_seconds / wish.site_seconds
    return [
        Limit(
            "Airflow: mapped tasks of one run",
            figures["airflow_most_shards"] * per_process,
            f"core.max_map_length is {figures['airflow_most_shards']:.0f}, a shard is one process for the whole pass",
            Origin.CITED,
            "raise it, or several runs; crawl in smaller runs all the same: a task of days restarts badly",
        ),
        Limit(
            "DNS: packets of a node to the resolver",
            math.inf if lookups_each < figures["dns_packets_per_second"] else 0.0,
            f"{lookups_each:.1f} of {figures['dns_packets_per_second']:.0f} packets a second and node",
            Origin.CITED,
            "a caching resolver on each node",
        ),
        Limit(
            "politeness: time of one site",
            math.inf if slow < 1 else 0.0,
            f"{crawl.site_seconds:.0f} s of {wish.site_seconds:.0f} s: at most {wish.pages / slow:.0f} pages a site",
            Origin.ASSUMED,
            "a longer budget per site: it costs waiting, not machines",
        ),
    ]
