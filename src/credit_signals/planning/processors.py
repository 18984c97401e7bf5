"""Reading on CPU or on GPU: what a million sections costs, and from how many on a GPU pays."""

from __future__ import annotations

from dataclasses import dataclass

from credit_signals.planning.figures import Figures
from credit_signals.planning.prices import Instance, Prices
from credit_signals.planning.wish import Wish

SIZES = (135e6, 500e6, 1.5e9, 3e9, 8e9)
TERA = 1e12


@dataclass(frozen=True, slots=True)
class ReaderCost:
    """A reader's dollars for a million sections on busy nodes; `parameters` 0 is the shipped encoder.

    `pays_from`: sections a pass from which one GPU node that is always on costs less than the CPU nodes.
    """

    parameters: float
    cpu_dollars: float
    gpu_dollars: float
    pays_from: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU against GPU for the shipped encoder and for generative readers of several sizes."""

    cpu: str
    gpu: str
    readers: list[ReaderCost]


def compare(wish: Wish, figures: Figures, prices: Prices, gpu_name: str = "g6.xlarge") -> Comparison:
    """Costs of readers on the wish's nodes and on a GPU node, both spot or both on demand.

    A generative reader computes `generative_tokens_per_section` tokens at two operations per parameter. What a GPU's
    host does for a section besides (queue, JSON, tokens, store) bounds how many sections a GPU node can read.
    """
    cpu, gpu = prices.instance(wish.read_node), prices.instance(gpu_name)
    always_on = gpu.price(wish.spot) * wish.every / 3600
    readers = []
    for size in (0.0, *SIZES):
        ours = generative_on_cpu(wish, figures, cpu, size) if size else encoder_on_cpu(wish, figures, cpu)
        readers.append(ReaderCost(size, ours, on_gpu(wish, figures, gpu, size), always_on / ours * 1e6))
    return Comparison(cpu.name, gpu.name, readers)


def encoder_on_cpu(wish: Wish, figures: Figures, node: Instance) -> float:
    """Dollars for a million sections by the shipped encoder."""
    rate = node.vcpus * node.speed / figures["worker_cpu_seconds_per_section"]
    return _dollars(node.price(wish.spot), rate * figures["read_utilisation"])


def generative_on_cpu(wish: Wish, figures: Figures, node: Instance, parameters: float) -> float:
    """Dollars for a million sections by a generative reader on a CPU node."""
    operations = 2 * parameters * figures["generative_tokens_per_section"]
    rate = node.vcpus * node.speed * figures["cpu_tera_flops"] * TERA / operations
    return _dollars(node.price(wish.spot), rate * figures["read_utilisation"])


def on_gpu(wish: Wish, figures: Figures, node: Instance, parameters: float) -> float:
    """Dollars for a million sections on a GPU node; 0 parameters: an encoder so small that the host is the bound."""
    host = node.vcpus * node.speed / figures["gpu_host_cpu_seconds_per_section"]
    operations = 2 * parameters * figures["generative_tokens_per_section"]
    card = node.tera_flops * TERA * figures["gpu_flops_share"] / operations if operations else host
    return _dollars(node.price(wish.spot), min(host, card) * figures["read_utilisation"])


def _dollars(hourly: float, sections_per_second: float) -> float:
    return hourly / 3600 / sections_per_second * 1e6
