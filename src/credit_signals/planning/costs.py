"""Dollars by the price table."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.planning.figures import Figures
from credit_signals.planning.loads import Load
from credit_signals.planning.machines import CrawlMachines, ReadMachines
from credit_signals.planning.prices import Prices
from credit_signals.planning.storage import Storage
from credit_signals.planning.wish import DAY, Wish

GB = 1e9
MONTH_HOURS = 730.0


@dataclass(frozen=True, slots=True)
class CostLine:
    """Dollars of one part for one pass of the steady state."""

    part: str
    what: str
    dollars: float


@dataclass(frozen=True, slots=True)
class Sized:
    """What was sized before it is paid for."""

    load: Load
    crawl: CrawlMachines
    read: ReadMachines
    storage: Storage


def pass_costs(wish: Wish, sized: Sized, figures: Figures, prices: Prices) -> list[CostLine]:
    """What one pass costs: machines for their hours, all else for the time between two passes."""
    hours = wish.every / 3600
    months = hours / MONTH_HOURS
    crawl_node, read_node = prices.instance(wish.crawl_node), prices.instance(wish.read_node)
    read_price = read_node.price(wish.spot)
    kind = "spot" if wish.spot else "on demand"
    database, copies = prices.smallest("postgres.", database_cores(wish, sized.load, figures))
    cache, shards = prices.smallest("redis.", sized.storage.redis / 2**30)
    node_gb = figures["node_disk_bytes"] / GB
    crawl_hours = sized.crawl.node_hours
    node_hours = crawl_hours + sized.read.node_hours
    return [
        CostLine(
            "crawl",
            f"{sized.crawl.nodes} x {crawl_node.name}, on demand",
            sized.crawl.node_hours * crawl_node.on_demand,
        ),
        CostLine(
            "crawl", f"{sized.crawl.nodes} public addresses", sized.crawl.node_hours * _usd(prices, "public_address")
        ),
        CostLine(
            "crawl",
            "requests out",
            sized.load.requests * figures["request_bytes"] / GB * _usd(prices, "traffic_out"),
        ),
        CostLine("read", f"{sized.read.nodes} x {read_node.name}, {kind}", sized.read.node_hours * read_price),
        CostLine("nodes", "disks", node_hours / MONTH_HOURS * node_gb * _usd(prices, "node_disk")),
        CostLine("queue", f"{2 * shards} x {cache.name} (with a replica)", 2 * shards * cache.usd * hours),
        CostLine("store", f"{2 * copies} x {database.name} (two zones)", 2 * copies * database.usd * hours),
        CostLine(
            "store", "disks, two zones", 2 * sized.storage.store_kept / GB * _usd(prices, "postgres_storage") * months
        ),
        CostLine("archive", "S3", sized.storage.archive_kept / GB * _usd(prices, "s3_standard") * months),
        CostLine("control", "EKS control plane", _usd(prices, "eks_control_plane") * hours),
        CostLine("control", "managed Airflow, medium", _usd(prices, "mwaa_medium") * hours),
    ]


def database_cores(wish: Wish, load: Load, figures: Figures) -> float:
    """Database cores that one pass keeps as busy as `database_utilisation` allows."""
    return load.database_cpu_seconds / wish.window / figures["database_utilisation"]


def yearly(wish: Wish, lines: list[CostLine]) -> float:
    """Dollars of a year of passes."""
    return sum(line.dollars for line in lines) * 365 * DAY / wish.every


def _usd(prices: Prices, name: str) -> float:
    return prices.service(name).usd
