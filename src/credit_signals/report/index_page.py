"""All companies of a run, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from credit_signals.domain import Activity, Company, CompanyReport, Rejection, Signal
from credit_signals.report.activity_depth import deepest
from credit_signals.report.gauge_dial import tone_of
from credit_signals.report.links import page_name
from credit_signals.report.pages import render

STRONGEST = 3
MAX_REJECTIONS = 500


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


def render_index(
    reports: Sequence[CompanyReport],
    run_id: str,
    rejections: Sequence[Rejection],
    link_to: Callable[[Company], str] = page_name,
) -> str:
    """A self-contained HTML page of a run: companies worst first, those not judged last, then the refused lines.

    `link_to` gives the address of a company's page, by default its file beside the index.
    """
    rows = sorted((_row(report, link_to) for report in reports), key=_worst_first)
    bands = Counter((row.tone, row.report.gauge.band if row.report.gauge else "not judged") for row in rows)
    return render(
        "index.html",
        title=f"Run {run_id} - Credit Signals",
        run_id=run_id,
        rows=rows,
        bands=sorted(bands.items(), key=lambda item: (item[0][0] == 0, item[0])),
        statuses=sorted(Counter(str(report.status) for report in reports).items()),
        signals=sum(len(row.strongest) + row.more for row in rows),
        rejections=rejections[:MAX_REJECTIONS],
        rejected=len(rejections),
    )


def _row(report: CompanyReport, link_to: Callable[[Company], str]) -> Row:
    standing = [signal for signal in report.signals if signal.withdrawn_at is None]
    ranked = sorted(standing, key=lambda signal: _weight(report, signal))
    return Row(
        report=report,
        link=link_to(report.company),
        tone=tone_of(report.gauge.value) if report.gauge else 0,
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


def _worst_first(row: Row) -> tuple[bool, int, str]:
    gauge = row.report.gauge
    return gauge is None, gauge.value if gauge else 0, row.report.company.domain
