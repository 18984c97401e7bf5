"""What both stores keep of a report to list companies: small, ordered, searchable."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from credit_signals.domain import NOT_JUDGED, CompanyReport, ReportGroup, Wanted

NO_GAUGE = 1000  # in the order of gauges after all of them


@dataclass(frozen=True, slots=True)
class Listed:
    """A company's line in the list of a run. `words` is folded, `codes` of standing signals stand between spaces."""

    company_id: str
    gauge: int
    domain: str
    band: str
    status: str
    signals: int
    words: str
    codes: str

    @property
    def place(self) -> tuple[int, str, str]:
        """Worst first, those without a gauge last."""
        return self.gauge, self.domain, self.company_id


def listed(report: CompanyReport) -> Listed:
    """The line of a report."""
    company = report.company
    standing = [signal.code for signal in report.signals if signal.withdrawn_at is None]
    return Listed(
        company_id=company.id,
        gauge=report.gauge.value if report.gauge else NO_GAUGE,
        domain=company.domain,
        band=report.gauge.band if report.gauge else NOT_JUDGED,
        status=report.status.value,
        signals=len(standing),
        words=folded(f"{company.name} {company.domain}"),
        codes=f" {' '.join(sorted(set(standing)))} ",
    )


def folded(text: str) -> str:
    """Text as it is searched: in one case, with single spaces."""
    return " ".join(text.casefold().split())


def is_wanted(line: Listed, wanted: Wanted) -> bool:
    """Whether a line is one of those."""
    return (
        folded(wanted.text) in line.words
        and wanted.band in {"", line.band}
        and wanted.status in {"", line.status}
        and (not wanted.code or f" {wanted.code} " in line.codes)
    )


def count_groups(lines: Iterable[Listed]) -> tuple[ReportGroup, ...]:
    """The groups of lines, in the order of band and status."""
    groups = groupby(sorted(lines, key=_group), _group)
    return tuple(_as_group(band, status, list(some)) for (band, status), some in groups)


def _group(line: Listed) -> tuple[str, str]:
    return line.band, line.status


def _as_group(band: str, status: str, lines: list[Listed]) -> ReportGroup:
    return report_group(
        band, status, len(lines), sum(line.signals for line in lines), min(each.gauge for each in lines)
    )


def report_group(band: str, status: str, companies: int, signals: int, lowest: int) -> ReportGroup:
    """A group as it is given out."""
    return ReportGroup.model_validate(
        {
            "band": band,
            "status": status,
            "companies": companies,
            "signals": signals,
            "lowest": lowest if lowest < NO_GAUGE else None,
        }
    )
