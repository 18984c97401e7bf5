"""`credit-signals plan`: what a number of companies takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Figure = Annotated[
    list[str] | None, typer.Option("--figure", help="Another value for a figure: name=value; may be repeated.")
]


def plan(
    companies: Annotated[str, typer.Option(help="How many companies: 10_000_000, 10M or 500k.")] = "1M",
    every: Annotated[str, typer.Option(help="How often each is crawled and read: 7d, 24h, 30d.")] = "7d",
    pages: Annotated[float, typer.Option(help="Pages of a company, on average.", min=1)] = 12,
    within: Annotated[str, typer.Option(help="Time for one pass, such as 2d (default: all of --every).")] = "",
    keep_days: Annotated[float, typer.Option(help="Days that runs and archive are kept.", min=0)] = 90,
    read_node: Annotated[str, typer.Option(help="Instance type of the readers.")] = "c7a.large",
    crawl_node: Annotated[str, typer.Option(help="Instance type of the crawl.")] = "c7a.large",
    spot: Annotated[bool, typer.Option("--spot/--on-demand", help="Readers on spot instances.")] = True,
    figure: Figure = None,
    figures: Annotated[bool, typer.Option("--figures", help="List the figures with their origin, and end.")] = False,
    only_break: Annotated[bool, typer.Option("--break", help="Show only where the design breaks first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Simulate, and draw backlog and pods over time (.svg, .png).", dir_okay=False)
    ] = None,
    hours: Annotated[float, typer.Option(help="Hours of a pass to simulate for --plot.", min=0.1)] = 24,
) -> None:
    """Plan machines, hours, bytes and dollars for a number of companies, from measured figures.

    Delay, hosts at once, time of a site and queue length are those of the settings (CREDIT_SIGNALS_*). Dollars are list
    prices of one region; check yours. Every figure tells whether it is measured, cited, assumed or chosen: --figures.
    """
    from credit_signals.cli import planning

    asked = planning.Asked(
        companies=companies,
        every=every,
        within=within,
        pages=pages,
        keep_days=keep_days,
        read_node=read_node,
        crawl_node=crawl_node,
        spot=spot,
        figure=tuple(figure or ()),
    )
    if figures:
        planning.show_figures(asked.figure, as_json)
        return
    made = planning.make(asked)
    planning.show(made, as_json, only_break)
    if plot is not None:
        planning.draw(made, plot, hours, quiet=as_json)
