"""Processes and nodes for a load."""

from __future__ import annotations

import math
from dataclasses import dataclass

from credit_signals.planning.figures import Figures
from credit_signals.planning.loads import Load
from credit_signals.planning.prices import Instance
from credit_signals.planning.wish import Wish


@dataclass(frozen=True, slots=True)
class CrawlMachines:
    """Crawling in `processes` with `hosts` sites at once each, on `nodes`.

    `by_processor` and `by_waiting`: processes that the processor time and the politeness ask for; the larger counts.
    """

    processes: int
    nodes: int
    by_processor: float
    by_waiting: float
    sites_at_once: float
    site_seconds: float  # of one site, delays and answers included
    pages_per_second: float
    lookups_per_second: float
    megabits_per_second: float
    node_hours: float


@dataclass(frozen=True, slots=True)
class ReadMachines:
    """Reading in `pods` of one thread, on `nodes`."""

    pods: int
    pods_of_node: int
    nodes: int
    sections_per_second: float
    sections_per_second_of_pod: float
    hours_of_pods: float  # of work
    node_hours: float  # that are paid for


def crawl_machines(wish: Wish, load: Load, figures: Figures, node: Instance) -> CrawlMachines:
    """Machines that crawl and score the load within the window."""
    asked = wish.pages * figures["requests_per_page"]
    site_seconds = asked * (wish.min_delay + figures["response_seconds"])
    waiting = load.sites * site_seconds + load.dead_sites * figures["dead_site_seconds"]
    at_once = waiting / wish.window
    by_waiting = at_once / (wish.hosts * figures["crawl_utilisation"])
    cpu = (load.crawl_cpu_seconds + load.score_cpu_seconds) / node.speed
    by_processor = cpu / wish.window / figures["crawl_utilisation"]
    processes = max(1, math.ceil(max(by_waiting, by_processor)))
    nodes = math.ceil(processes / node.vcpus)
    return CrawlMachines(
        processes=processes,
        nodes=nodes,
        by_processor=by_processor,
        by_waiting=by_waiting,
        sites_at_once=at_once,
        site_seconds=site_seconds,
        pages_per_second=load.pages / wish.window,
        lookups_per_second=wish.companies * figures["lookups_per_site"] / wish.window,
        megabits_per_second=load.wire_bytes * 8 / wish.window / 1e6,
        node_hours=nodes * wish.window / 3600,
    )


def read_machines(wish: Wish, load: Load, figures: Figures, node: Instance) -> ReadMachines:
    """Machines that read the load within the window; one pod per vCPU."""
    cpu = load.read_cpu_seconds / node.speed
    pods = max(1, math.ceil(cpu / wish.window / figures["read_utilisation"]))
    nodes = math.ceil(pods / node.vcpus)
    return ReadMachines(
        pods=pods,
        pods_of_node=node.vcpus,
        nodes=nodes,
        sections_per_second=load.read_sections / wish.window,
        sections_per_second_of_pod=node.speed / figures["worker_cpu_seconds_per_section"],
        hours_of_pods=cpu / 3600,
        node_hours=cpu / 3600 / figures["read_utilisation"] / node.vcpus,
    )
