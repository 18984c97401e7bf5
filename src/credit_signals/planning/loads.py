"""How much there is to crawl and to read in one pass."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.planning.figures import Figures
from credit_signals.planning.wish import Wish

WEEK = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Load:
    """One pass over all companies: counts, processor seconds on the machine where they were measured, bytes."""

    sites: float  # companies whose site answers
    dead_sites: float
    pages: float
    requests: float
    sections: float
    read_sections: float  # that no reader has answered before
    crawl_cpu_seconds: float
    read_cpu_seconds: float
    score_cpu_seconds: float
    database_cpu_seconds: float
    commits: float
    wire_bytes: float
    archive_bytes: float


def changed_share(weekly: float, seconds: float) -> float:
    """Share of sections that differ after `seconds`, when `weekly` of them do after a week, each independently."""
    return float(1 - (1 - weekly) ** (seconds / WEEK))


def first_load(wish: Wish, figures: Figures) -> Load:
    """The first pass: everything is fetched and read."""
    return _load(wish, figures, changed=1.0, fetched=1.0)


def later_load(wish: Wish, figures: Figures) -> Load:
    """A pass of the steady state: unchanged pages are asked for conditionally, unchanged sections are not read."""
    changed = changed_share(figures["changed_share_weekly"], wish.every)
    return _load(wish, figures, changed=changed, fetched=1 - figures["not_modified_share"] * (1 - changed))


def _load(wish: Wish, figures: Figures, changed: float, fetched: float) -> Load:
    sites = wish.companies * figures["live_share"]
    pages = sites * wish.pages
    sections = pages * figures["sections_per_page"]
    read = sections * figures["unique_section_share"] * changed
    page_cpu = fetched * figures["crawl_cpu_seconds_per_page"] + (1 - fetched) * figures["recrawl_cpu_seconds_per_page"]
    return Load(
        sites=sites,
        dead_sites=wish.companies - sites,
        pages=pages,
        requests=pages * figures["requests_per_page"],
        sections=sections,
        read_sections=read,
        crawl_cpu_seconds=pages * page_cpu + sites * figures["tls_cpu_seconds_per_site"],
        read_cpu_seconds=read * figures["worker_cpu_seconds_per_section"],
        score_cpu_seconds=sites * figures["score_cpu_seconds_per_company"],
        database_cpu_seconds=pages * figures["crawl_database_cpu_seconds_per_page"]
        + read * figures["read_database_cpu_seconds_per_section"]
        + sites * figures["score_database_cpu_seconds_per_company"],
        commits=pages * figures["commits_per_page"] + read * figures["commits_per_section"],
        wire_bytes=pages * (fetched * figures["wire_bytes_per_page"] + figures["wire_bytes_per_request"]),
        archive_bytes=pages * fetched * figures["wire_bytes_per_page"],
    )
