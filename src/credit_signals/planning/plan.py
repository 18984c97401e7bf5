"""A plan: loads, machines, bytes, dollars, limits."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from credit_signals.planning.costs import CostLine, Sized, pass_costs, yearly
from credit_signals.planning.figures import Figures
from credit_signals.planning.limits import Limit, find_limits
from credit_signals.planning.loads import Load, changed_share, first_load, later_load
from credit_signals.planning.machines import ReadMachines, crawl_machines, read_machines
from credit_signals.planning.prices import Instance, Prices
from credit_signals.planning.processors import Comparison, compare
from credit_signals.planning.storage import plan_storage
from credit_signals.planning.wish import Wish, doubts
from credit_signals.scaling.sizing import SizingRule

ROOM_FOR_PODS = 0.75  # of a node's memory; the system and the cluster's own pods take the rest


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wish takes. `sized` is the steady state; `first` and `first_read` are the first pass, `first_dollars` what
    its reading costs beyond a later pass."""

    wish: Wish
    figures: Figures
    changed: float
    first: Load
    first_read: ReadMachines
    first_dollars: float
    sized: Sized
    costs: list[CostLine]
    dollars_a_year: float
    processors: Comparison
    limits: list[Limit]
    warnings: list[str]

    @property
    def dollars(self) -> float:
        """Of one pass of the steady state."""
        return sum(line.dollars for line in self.costs)

    @property
    def answer_within(self) -> float:
        """The longest time to answer, in seconds, at which the task scale_workers has enough pods for the crawl by it.

        Aiming at a longer one, only a queue more than half full asks for them: the crawl does not wait either, but pods
        come and go more.
        """
        rate = self.sized.read.sections_per_second
        starting = self.figures["node_start_seconds"] + self.figures["pod_start_seconds"]
        longest = self.wish.queue_length * (1 + SizingRule().margin) / rate + starting if rate else math.inf
        return min(longest, self.wish.window)

    @property
    def later(self) -> Load:
        """A pass of the steady state."""
        return self.sized.load

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain values for JSON; limits that are never met are null."""
        whole = {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name != "figures"}
        plain = {name: _plain(value) for name, value in whole.items()}
        return {
            **plain,
            "dollars": self.dollars,
            "figures": {name: _plain(self.figures.figure(name)) for name in self.figures},
        }


def make_plan(wish: Wish, figures: Figures, prices: Prices) -> Plan:
    """Calculate a plan. Raises ConfigurationError for figures or prices that are missing."""
    first, later = first_load(wish, figures), later_load(wish, figures)
    crawl_node, read_node = prices.instance(wish.crawl_node), prices.instance(wish.read_node)
    sized = Sized(
        load=later,
        crawl=crawl_machines(wish, later, figures, crawl_node),
        read=read_machines(wish, later, figures, read_node),
        storage=plan_storage(wish, first, later, figures),
    )
    costs = pass_costs(wish, sized, figures, prices)
    first_read = read_machines(wish, first, figures, read_node)
    return Plan(
        wish=wish,
        figures=figures,
        changed=changed_share(figures["changed_share_weekly"], wish.every),
        first=first,
        first_read=first_read,
        first_dollars=(first_read.node_hours - sized.read.node_hours) * read_node.price(wish.spot),
        sized=sized,
        costs=costs,
        dollars_a_year=yearly(wish, costs),
        processors=compare(wish, figures, prices),
        limits=find_limits(wish, first, sized, figures, prices),
        warnings=[*doubts(wish, figures["pages_per_company"]), *_crowded(read_node, figures)],
    )


def _crowded(node: Instance, figures: Figures) -> list[str]:
    needed = node.vcpus * figures["worker_memory_bytes"] / 2**30
    if needed <= node.memory_gib * ROOM_FOR_PODS:
        return []
    return [f"{node.vcpus} workers on a {node.name} need {needed:.1f} of {node.memory_gib:g} GiB: take larger nodes"]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
