"""Reports in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

from credit_signals.domain import CompanyReport, Rejection, Run, RunOverview, Wanted
from credit_signals.store.listing import Listed, count_groups, is_wanted, listed


class MemoryResults:
    """The report methods of MemoryStore."""

    _lock: threading.RLock
    _rejections: dict[str, list[Rejection]]
    _reports: dict[tuple[str, str], list[CompanyReport]]
    _require_run: Callable[[str], Run]

    def save_report(self, report: CompanyReport) -> None:
        """Keep the report of a company in a run; earlier ones stay."""
        with self._lock:
            self._require_run(report.run_id)
            kept = self._reports.setdefault((report.run_id, report.company.id), [])
            if not kept or kept[-1] != report:
                kept.append(report)

    def report(self, run_id: str, company_id: str) -> CompanyReport | None:
        """A report, or None."""
        kept = self._reports.get((run_id, company_id))
        return kept[-1] if kept else None

    def reports(self, run_id: str) -> list[CompanyReport]:
        """All reports of a run, by domain."""
        newest = [report for _, report in self._lines(run_id)]
        return sorted(newest, key=lambda report: (report.company.domain, report.company.id))

    def overview(self, run_id: str) -> RunOverview:
        """Counts of a run's newest reports."""
        groups = count_groups(line for line, _ in self._lines(run_id))
        return RunOverview(groups=groups, rejected=len(self._rejections.get(run_id, ())))

    def find_reports(self, run_id: str, wanted: Wanted, offset: int, limit: int) -> list[CompanyReport]:
        """Some of a run's newest reports, worst first."""
        found = [(line.place, report) for line, report in self._lines(run_id) if is_wanted(line, wanted)]
        return [report for _, report in sorted(found, key=lambda each: each[0])[offset : offset + limit]]

    def count_reports(self, run_id: str, wanted: Wanted) -> int:
        """How many `find_reports` finds without a limit."""
        return sum(is_wanted(line, wanted) for line, _ in self._lines(run_id))

    def _lines(self, run_id: str) -> list[tuple[Listed, CompanyReport]]:
        with self._lock:
            newest = [kept[-1] for (run, _), kept in self._reports.items() if run == run_id]
        return [(listed(report), report) for report in newest]
