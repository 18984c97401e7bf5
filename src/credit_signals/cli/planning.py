"""A plan as tables."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from credit_signals import settings
from credit_signals.cli.show import say, screen
from credit_signals.errors import ConfigurationError
from credit_signals.planning.durations import parse_duration, show_duration
from credit_signals.planning.figures import Figures, Origin, load_figures, parse_given
from credit_signals.planning.plan import Plan, make_plan
from credit_signals.planning.prices import load_prices
from credit_signals.planning.wish import Wish

FAR = 10  # times
FEW = 10  # counts below it are shown with their fractions
LARGE = {"k": 1e3, "m": 1e6, "b": 1e9}
UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `plan`, as typed."""

    companies: str
    every: str
    within: str
    pages: float
    keep_days: float
    read_node: str
    crawl_node: str
    spot: bool
    figure: tuple[str, ...]


def parse_count(text: str) -> int:
    """10_000_000, 10,000,000, 10M or 500k. Raises ConfigurationError."""
    found = re.fullmatch(r"(\d[\d_,]*(?:\.\d+)?)([kmb]?)", text.strip().lower())
    count = float(re.sub(r"[_,]", "", found[1])) * LARGE.get(found[2], 1) if found else 0
    if not 1 <= count <= LARGE["b"] * 10:
        raise ConfigurationError(f"{text!r} is no number of companies: write 10_000_000, 10M or 500k")
    return round(count)


def make(asked: Asked) -> Plan:
    """The plan that was asked for. Raises ConfigurationError."""
    chosen = settings.load()
    wish = Wish(
        companies=parse_count(asked.companies),
        every=parse_duration(asked.every),
        pages=asked.pages,
        within=parse_duration(asked.within) if asked.within else 0.0,
        hosts=chosen.hosts,
        min_delay=chosen.min_delay,
        site_seconds=chosen.budget.seconds,
        queue_length=chosen.queue_length,
        keep_days=asked.keep_days,
        read_node=asked.read_node,
        crawl_node=asked.crawl_node,
        spot=asked.spot,
    )
    return make_plan(wish, _figures(asked.figure), load_prices())


def _figures(given: Sequence[str]) -> Figures:
    return load_figures().given(parse_given(list(given)))


def show_figures(given: Sequence[str], as_json: bool) -> None:
    """All figures with their origin."""
    figures = _figures(given)
    if as_json:
        json.dump({name: asdict(figures.figure(name)) for name in figures}, sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    table = Table("figure", "value", "unit", "origin", "how")
    for name in figures:
        figure = figures.figure(name)
        spread = f" ({figure.low:.3g} to {figure.high:.3g})" if figure.high > figure.low else ""
        table.add_row(name, f"{figure.value:.4g}{spread}", figure.unit, figure.origin.value, figure.how)
    screen.print(table)


def show(plan: Plan, as_json: bool, only_break: bool) -> None:
    """Print a plan."""
    if as_json:
        json.dump(plan.as_dict(), sys.stdout, indent=1)
        sys.stdout.write("\n")
        return
    if not only_break:
        wish = plan.wish
        say(
            f"{wish.companies:,} companies every {show_duration(wish.every)}, {wish.pages:g} pages each, "
            f"a pass within {show_duration(wish.window)}",
            "bold",
        )
        for table in (_load_table(plan), _machine_table(plan), _bytes_table(plan), _cost_table(plan), _gpu_table(plan)):
            screen.print(table)
    screen.print(_limit_table(plan))
    for warning in plan.warnings:
        say(f"warning: {warning}", "yellow")
    if not only_break:
        say(_origins(plan.figures), "dim")


def draw(plan: Plan, path: Path, hours: float, quiet: bool) -> None:
    """Simulate and write the picture; a sentence about it unless `quiet`."""
    from credit_signals.planning.plot import draw_timeline  # noqa: PLC0415  # simpy only for those who ask
    from credit_signals.planning.timeline import make_timeline  # noqa: PLC0415  # the same

    timeline = make_timeline(plan, hours * 3600)
    draw_timeline(timeline, path)
    outcome = timeline.outcome
    if not quiet:
        say(
            f"{path}: {outcome.answered:,} sections in {show_duration(outcome.ended)}, "
            f"at most {outcome.peak_workers} pods; "
            f"a section is answered after {show_duration(outcome.mean_answer)} on average, 95% within "
            f"{show_duration(outcome.answer_percentile(0.95))}; {outcome.interruptions} nodes interrupted, "
            f"{outcome.redelivered:,} sections delivered again, {outcome.dead:,} dead"
        )


def _load_table(plan: Plan) -> Table:
    table = Table("a pass", "first", "later", title="What there is to do", title_justify="left")
    first, later = plan.first, plan.later
    for name, one, two in (
        ("sites that answer", first.sites, later.sites),
        ("pages", first.pages, later.pages),
        ("requests", first.requests, later.requests),
        ("sections found", first.sections, later.sections),
        ("sections to read", first.read_sections, later.read_sections),
        ("CPU-hours of crawl", first.crawl_cpu_seconds / 3600, later.crawl_cpu_seconds / 3600),
        ("CPU-hours of reading", first.read_cpu_seconds / 3600, later.read_cpu_seconds / 3600),
        ("CPU-hours of scoring", first.score_cpu_seconds / 3600, later.score_cpu_seconds / 3600),
    ):
        table.add_row(name, show_count(one), show_count(two))
    table.add_row("over the wire", show_bytes(first.wire_bytes), show_bytes(later.wire_bytes))
    table.caption = f"{plan.changed:.1%} of the sections differ from the pass before; only they are read"
    return table


def _machine_table(plan: Plan) -> Table:
    crawl, read, first = plan.sized.crawl, plan.sized.read, plan.first_read
    wish, spare = plan.wish, show_duration(plan.answer_within)
    table = Table("machines", "number", "because", title="Machines", title_justify="left")
    table.add_row(
        "crawl processes",
        f"{crawl.processes:,} on {crawl.nodes:,} {wish.crawl_node}",
        f"processor time asks for {crawl.by_processor:.1f}, politeness for {crawl.by_waiting:.1f} "
        f"({crawl.sites_at_once:,.0f} sites at once, {crawl.site_seconds:.0f} s each, {wish.hosts} a process)",
    )
    table.add_row(
        "", f"{crawl.pages_per_second:,.0f} pages/s", f"{crawl.pages_per_second / crawl.processes:.1f} a process"
    )
    table.add_row("", f"{crawl.lookups_per_second:,.0f} DNS packets/s", "all nodes together")
    table.add_row("", f"{crawl.megabits_per_second:,.0f} Mbit/s", "all nodes together")
    table.add_row(
        "reader pods",
        f"{read.pods:,} on {read.nodes:,} {wish.read_node}",
        f"{read.sections_per_second:,.1f} sections/s, {read.sections_per_second_of_pod:.1f} a pod; "
        f"{read.hours_of_pods:,.0f} pod-hours a pass",
    )
    table.add_row(
        "", f"{first.pods:,} on {first.nodes:,} for the first pass", f"{first.hours_of_pods:,.0f} pod-hours, once"
    )
    if plan.answer_within < wish.window:
        table.add_row(
            "scale_workers",
            f"a ceiling of {read.pods:,} or more",
            f"else a queue of {wish.queue_length:,} is full and the crawl waits; aiming at {spare} or less, pods come "
            "and go less",
        )
    return table


def _bytes_table(plan: Plan) -> Table:
    storage, wish = plan.sized.storage, plan.wish
    table = Table(
        "bytes", "after the first pass", "each pass", "with all that is kept", title="Bytes", title_justify="left"
    )
    table.add_row("Redis (bound: the queue's length)", "", "", show_bytes(storage.redis))
    table.add_row(
        "store", show_bytes(storage.store_first), show_bytes(storage.store_pass), show_bytes(storage.store_kept)
    )
    table.add_row(
        "archive (WARC)",
        show_bytes(storage.archive_first),
        show_bytes(storage.archive_pass),
        show_bytes(storage.archive_kept),
    )
    table.caption = (
        f"{wish.keep_days:g} days are kept, {wish.passes_kept:.1f} passes; "
        f"a year without deleting: {show_bytes(storage.store_year_unkept)} in the store"
    )
    return table


def _cost_table(plan: Plan) -> Table:
    prices = load_prices()
    table = Table("part", "what", "dollars a pass", title="Dollars", title_justify="left")
    table.columns[2].justify = "right"
    for line in plan.costs:
        table.add_row(line.part, line.what, f"{line.dollars:,.0f}")
    table.add_section()
    table.add_row("all", f"{plan.dollars / plan.wish.companies * 1e3:.3g} for 1,000 companies", f"{plan.dollars:,.0f}")
    table.add_row("", "a year", f"{plan.dollars_a_year:,.0f}")
    table.add_row("once", "reading the first pass", f"{plan.first_dollars:,.0f}")
    table.caption = f"{prices.notice} ({prices.date}; each price with its source in prices.toml)"
    return table


def _gpu_table(plan: Plan) -> Table:
    found = plan.processors
    table = Table("reader", f"CPU: {found.cpu}", f"GPU: {found.gpu}", "a GPU pays from", title_justify="left")
    table.title = f"Dollars for a million sections, {'spot' if plan.wish.spot else 'on demand'}"
    for reader in found.readers:
        name = f"{reader.parameters / 1e9:.3g} billion parameters" if reader.parameters else "the shipped encoder"
        from_sections = f"{show_count(reader.pays_from)} sections a pass"
        table.add_row(name, f"{reader.cpu_dollars:,.2f}", f"{reader.gpu_dollars:,.2f}", from_sections)
    table.caption = (
        f"nodes kept busy; the last column is for one GPU node that is always on; this plan reads "
        f"{show_count(plan.later.read_sections)} a pass. The GPU's share of its peak and its host's time are assumed, "
        "and the encoder never ran on one"
    )
    return table


def _limit_table(plan: Plan) -> Table:
    table = Table("part", "breaks at", "used", "figure", "then", title_justify="left")
    table.title = f"Where it breaks, at this pace (every {show_duration(plan.wish.every)})"
    for limit in plan.limits:
        never = math.isinf(limit.companies)
        table.add_row(
            limit.part,
            "grows along" if never else show_count(limit.companies),
            "" if never else show_times(limit.load(plan.wish)),
            f"{limit.why} ({limit.origin.value})",
            limit.then,
            style="red" if not never and limit.load(plan.wish) > 1 else None,
        )
    return table


def _origins(figures: Figures) -> str:
    counts = {origin: sum(figures.figure(name).origin is origin for name in figures) for origin in Origin}
    found = ", ".join(f"{count} {origin.value}" for origin, count in counts.items() if count)
    return f"calculated from {len(figures)} figures ({found}); `credit-signals plan --figures` lists them"


def show_bytes(count: float) -> str:
    """Bytes for people, in powers of 1000."""
    for size, name in UNITS:
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:.0f} B"


def show_times(share: float) -> str:
    """A share of a limit; far beyond it, how many times it."""
    return f"{share:.0%}" if share < FAR else f"{share:,.0f} times"


def show_count(count: float) -> str:
    """A number for people: in words from a million on, two digits below ten."""
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:,.0f}" if count >= FEW or count == int(count) else f"{count:.2g}"
