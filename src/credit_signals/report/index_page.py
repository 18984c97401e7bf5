"""The companies of a run, worst first, by pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from credit_signals.domain import (
    Activity,
    Company,
    CompanyReport,
    Rejection,
    ReportGroup,
    RunOverview,
    Signal,
    Wanted,
)
from credit_signals.report.activity_depth import deepest
from credit_signals.report.gauge_dial import tone_of
from credit_signals.report.links import index_name, page_name
from credit_signals.report.pages import render
from credit_signals.taxonomy.signals import BY_CODE

STRONGEST = 3
MAX_REJECTIONS = 500


@dataclass(frozen=True, slots=True)
class IndexPage:
    """One page of a run's index: `reports` in their order, `found` of the companies being `wanted`, on `pages` pages.

    `overview` counts the whole run; `rejections` are its first refused lines, shown on the first page.
    """

    run_id: str
    reports: Sequence[CompanyReport]
    overview: RunOverview
    rejections: Sequence[Rejection] = ()
    number: int = 1
    pages: int = 1
    per_page: int = 0
    found: int = 0
    wanted: Wanted = Wanted()  # noqa: RUF009  # frozen


@dataclass(frozen=True, slots=True)
class IndexLinks:
    """Where links lead: to a company's page, and to another page of the index.

    `searchable`: a server answers the form; without it, a run on a single page is filtered by the browser.
    """

    company: Callable[[Company], str] = page_name
    page: Callable[[int], str] = index_name
    searchable: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A company as the index shows it. `tone` 0: not judged."""

    report: CompanyReport
    link: str
    tone: int
    activity: Activity | None
    strongest: tuple[Signal, ...]
    more: int
    withdrawn: int


def render_index(page: IndexPage, links: IndexLinks = IndexLinks()) -> str:  # frozen
    """A self-contained HTML page of a run: counts of all its companies, some of them, and the refused lines."""
    groups = page.overview.groups
    first = (page.number - 1) * page.per_page
    return render(
        "index.html",
        title=f"Run {page.run_id} - Credit Signals",
        page=page,
        links=links,
        rows=[_row(report, links.company) for report in page.reports],
        bands=_bands(groups),
        statuses=_count((str(group.status), group.companies) for group in groups),
        codes=sorted(BY_CODE),
        first=first + 1,
        last=first + len(page.reports),
        rejections=page.rejections[:MAX_REJECTIONS] if page.number == 1 else (),
    )


def _bands(groups: Sequence[ReportGroup]) -> list[tuple[tuple[int, str], int]]:
    """Tone and band with their companies; the worst first, those without a gauge last."""
    tones = {group.band: _tone(group.lowest) for group in sorted(groups, key=lambda each: -(each.lowest or 0))}
    counts = _count((group.band, group.companies) for group in groups)
    return sorted((((tones[band], band), count) for band, count in counts), key=lambda item: (item[0][0] == 0, item[0]))


def _tone(gauge: int | None) -> int:
    return tone_of(gauge) if gauge is not None else 0


def _count(pairs: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for key, number in pairs:
        counts[key] += number
    return sorted(counts.items())


def _row(report: CompanyReport, link_to: Callable[[Company], str]) -> Row:
    standing = [signal for signal in report.signals if signal.withdrawn_at is None]
    ranked = sorted(standing, key=lambda signal: _weight(report, signal))
    return Row(
        report=report,
        link=link_to(report.company),
        tone=_tone(report.gauge.value if report.gauge else None),
        activity=_main(report.activities),
        strongest=tuple(ranked[:STRONGEST]),
        more=len(ranked[STRONGEST:]),
        withdrawn=len(report.signals) - len(standing),
    )


def _weight(report: CompanyReport, signal: Signal) -> tuple[float, int, float, str]:
    parts = report.gauge.contributions if report.gauge else ()
    points = next((part.points for part in parts if part.signal_id == signal.id), 0.0)
    return -abs(points), -signal.severity, -signal.confidence, signal.id


def _main(activities: Sequence[Activity]) -> Activity | None:
    return deepest(activity for activity in activities if activity.scheme == "NACE2") or deepest(activities)
