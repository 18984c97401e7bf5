"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from credit_signals.domain import CompanyReport, Signal
from credit_signals.store.base import RunProgress

BAND_STYLES = {"critical": "bold red", "weak": "red", "watch": "yellow", "fair": "green", "good": "bold green"}
QUOTE_CHARACTERS = 140
LINE_SECONDS = 5.0  # between two lines where the output is no terminal

PIPED_WIDTH = 120  # columns where the output is no terminal and COLUMNS says nothing


def _screen() -> Console:
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


screen = _screen()


def say(line: str, style: str = "") -> None:
    """A line as it is: long paths and ids are neither wrapped nor coloured, so that scripts can take them."""
    screen.print(line, style=style or None, markup=False, highlight=False, soft_wrap=True)


class _Rate(ProgressColumn):
    """Finished per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="dim")


class RunView:
    """Live bars on a terminal, a line every five seconds elsewhere. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._companies = self._bars.add_task("companies crawled", total=None)
        self._sections = self._bars.add_task("sections read", total=None)
        self._shown_at = float("-inf")

    def __enter__(self) -> RunView:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, progress: RunProgress, seconds: float) -> None:
        """Show the counts of a run that has lasted `seconds`."""
        self._bars.update(self._companies, completed=progress.crawled, total=progress.companies)
        self._bars.update(self._sections, completed=progress.answered, total=progress.tasks or None)
        if not self.console.is_terminal and seconds - self._shown_at >= LINE_SECONDS:
            self._shown_at = seconds
            rate = progress.answered / seconds if seconds else 0.0
            left = f", {progress.unread / rate:.0f} s left to read" if rate and progress.unread else ""
            self.console.print(
                f"{seconds:5.0f} s  companies crawled {progress.crawled}/{progress.companies}"
                f"  sections found {progress.tasks}, read {progress.answered} ({rate:.1f}/s){left}",
                highlight=False,
                soft_wrap=True,
            )


def results_table(reports: Sequence[CompanyReport], signals_shown: int = 3) -> Table:
    """One row per company, worst gauge first: activity, gauge, strongest signals with their quotes."""
    table = Table(show_lines=True, expand=True)
    table.add_column("company", ratio=3, overflow="fold")  # a domain cut short is no domain
    table.add_column("activity", ratio=3)
    table.add_column("gauge", justify="right", min_width=8)
    table.add_column("strongest signals", ratio=8)
    for report in sorted(reports, key=lambda each: (each.gauge is None, each.gauge.value if each.gauge else 0)):
        company = Text(report.company.name)
        company.append(f"\n{report.company.domain}", style="dim")
        table.add_row(company, _activity(report), _gauge(report), _signals(report, signals_shown))
    return table


def _activity(report: CompanyReport) -> Text:
    best = max(
        (activity for activity in report.activities if activity.scheme == "NACE2"),
        key=lambda activity: (len(activity.code), activity.probability),
        default=None,
    )
    if best is None:
        return Text("-", style="dim")
    return Text(f"{best.code} {best.title} ({best.probability:.0%})")


def _gauge(report: CompanyReport) -> Text:
    if report.gauge is None:
        return Text("-", style="dim")
    return Text(f"{report.gauge.value}\n{report.gauge.band}", style=BAND_STYLES.get(report.gauge.band, ""))


def _signals(report: CompanyReport, shown: int) -> Text:
    if report.status != "read":
        return Text(f"{report.status}: {report.reason}", style="dim")
    present = [signal for signal in report.signals if signal.withdrawn_at is None]
    points = {part.signal_id: abs(part.points) for part in report.gauge.contributions} if report.gauge else {}
    strongest = sorted(present, key=lambda signal: (points.get(signal.id, 0.0), *_strength(signal)), reverse=True)
    text = Text("\n").join(_line(signal) for signal in strongest[:shown])
    if len(strongest) > shown:
        text.append(f"\n... and {len(strongest) - shown} more", style="dim")
    if report.unsure_statements:
        text.append(f"{chr(10) if text else ''}{report.unsure_statements} statements not sure", style="dim")
    for reason, count in report.unread_sections.items():
        text.append(f"{chr(10) if text else ''}{count} sections unread ({reason})", style="dim")
    return text


def _strength(signal: Signal) -> tuple[int, float]:
    return signal.severity, signal.confidence


def _line(signal: Signal) -> Text:
    quote = signal.evidence.quote
    if len(quote) > QUOTE_CHARACTERS:
        quote = quote[: QUOTE_CHARACTERS - 1] + "…"
    line = Text(f"{signal.code} ", style="bold")
    line.append(f"{signal.stance}, {signal.subject}: ", style="dim")
    line.append(f"“{quote}”")
    return line
