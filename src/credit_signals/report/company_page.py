"""One company on one page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from credit_signals.domain import (
    Activity,
    CompanyReport,
    Contribution,
    Evidence,
    Fetch,
    FetchStatus,
    Score,
    Section,
    Signal,
)
from credit_signals.report.activity_depth import deepest
from credit_signals.report.gauge_dial import draw_dial, tone_of
from credit_signals.report.pages import render
from credit_signals.report.passages import Passage, passage
from credit_signals.taxonomy.signals import BY_CODE

MAX_SIGNALS = 200
MAX_FETCHES = 500
_NO_TONE = "neutral"
_FAULTS = {
    "parked",
    "unreachable",
    "stale_copyright",
    "stale_news",
    "missing_imprint",
    "vanished_page",
    "tls_failure",
}
_FETCHED = {FetchStatus.OK, FetchStatus.NOT_MODIFIED}


@dataclass(frozen=True, slots=True)
class SignalCard:
    """A signal as the page shows it."""

    signal: Signal
    meaning: str
    tone: str
    points: float | None  # None: not in the gauge
    passage: Passage


@dataclass(frozen=True, slots=True)
class Bar:
    """A contribution as a bar: `share` is its part of the longest bar, 0 to 100."""

    part: Contribution
    share: float


def render_company(
    report: CompanyReport, sections: Mapping[str, Section], fetches: Sequence[Fetch], graph_svg: str
) -> str:
    """A self-contained HTML page: no script, nothing loaded from elsewhere, all text of the site escaped.

    `sections` by id: those that the evidence quotes. A quote is highlighted in its section only if the stored text
    holds it at its offsets. `graph_svg` may be empty.
    """
    gauge = report.gauge
    standing = _by_weight([signal for signal in report.signals if signal.withdrawn_at is None], gauge)
    withdrawn = [signal for signal in report.signals if signal.withdrawn_at is not None]
    return render(
        "company.html",
        title=f"{report.company.name} - Credit Signals",
        report=report,
        company=report.company,
        gauge=gauge,
        tone=tone_of(gauge.value) if gauge else 0,
        dial=draw_dial(gauge.value) if gauge else None,
        bars=_bars(gauge) if gauge else [],
        signals=_cards(standing[:MAX_SIGNALS], gauge, sections),
        withdrawn=_cards(withdrawn[:MAX_SIGNALS], gauge, sections),
        signal_counts=(len(standing), len(withdrawn)),
        more_signals=max(0, len(standing) - MAX_SIGNALS) + max(0, len(withdrawn) - MAX_SIGNALS),
        schemes=_schemes(report.activities, sections),
        imprint=[fact for fact in report.site_facts if fact.key not in _FAULTS],
        faults=[fact for fact in report.site_facts if fact.key in _FAULTS],
        **_crawl(fetches),
        graph_uri=_data_uri(graph_svg),
    )


def _bars(gauge: Score) -> list[Bar]:
    longest = max((abs(part.points) for part in gauge.contributions), default=0.0)
    return [Bar(part, round(100 * abs(part.points) / longest, 1)) for part in gauge.contributions if longest]


def _points_of(gauge: Score | None) -> dict[str, float]:
    return {part.signal_id: part.points for part in gauge.contributions if part.signal_id} if gauge else {}


def _by_weight(signals: Sequence[Signal], gauge: Score | None) -> list[Signal]:
    points = _points_of(gauge)
    return sorted(signals, key=lambda signal: -abs(points.get(signal.id, 0.0)))


def _cards(signals: Sequence[Signal], gauge: Score | None, sections: Mapping[str, Section]) -> list[SignalCard]:
    points = _points_of(gauge)
    cards = []
    for signal in signals:
        code = BY_CODE.get(signal.code)
        cards.append(
            SignalCard(
                signal=signal,
                meaning=code.meaning if code else "",
                tone=code.tone if code else _NO_TONE,
                points=points.get(signal.id),
                passage=passage(signal.evidence, sections.get(signal.evidence.section_id)),
            )
        )
    return cards


def _schemes(activities: Iterable[Activity], sections: Mapping[str, Section]) -> list[dict[str, Any]]:
    """Activities by scheme, each with the passages that support the best of its deepest codes."""
    schemes = []
    for scheme, group in groupby(activities, key=lambda activity: activity.scheme):
        listed = list(group)
        best = deepest(listed)
        schemes.append(
            {
                "name": {"NACE2": "NACE Rev. 2", "NAICS2022": "NAICS 2022"}.get(scheme, scheme),
                "activities": listed,
                "best": best,
                "quotes": [_quoted(evidence, sections) for evidence in best.evidence] if best else [],
            }
        )
    return schemes


def _quoted(evidence: Evidence, sections: Mapping[str, Section]) -> tuple[Evidence, Passage]:
    return evidence, passage(evidence, sections.get(evidence.section_id))


def _crawl(fetches: Sequence[Fetch]) -> dict[str, Any]:
    good = [fetch for fetch in fetches if fetch.status in _FETCHED]
    bad = [fetch for fetch in fetches if fetch.status not in _FETCHED]
    return {
        "fetched": good[:MAX_FETCHES],
        "refused": bad[:MAX_FETCHES],
        "fetch_counts": (len(good), len(bad)),
    }


def _data_uri(svg: str) -> str:
    # as an image it can neither run scripts nor load anything, whatever the titles of the pages hold
    return "data:image/svg+xml;base64," + b64encode(svg.encode("utf-8", "replace")).decode("ascii") if svg else ""
