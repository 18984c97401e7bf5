"""From stored reports to HTML pages."""

from __future__ import annotations

from pathlib import Path

from credit_signals.domain import Company, CompanyReport
from credit_signals.errors import CreditSignalsError
from credit_signals.graph import to_svg
from credit_signals.report import page_name, render_company, render_index
from credit_signals.store.base import ResultsStore


def company_page(run_id: str, company: Company, store: ResultsStore) -> str:
    """The HTML page of one company in one run. Raises CreditSignalsError when the run has not scored it."""
    report = store.report(run_id, company.id)
    if report is None:
        raise CreditSignalsError(f"{company.domain}: no report in run {run_id}; run `credit-signals score` first")
    return _page(report, store)


def write_pages(run_id: str, store: ResultsStore, folder: Path) -> Path:
    """Write a page per company and an index into a folder; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    reports = store.reports(run_id)
    for report in reports:
        (folder / page_name(report.company)).write_text(_page(report, store), encoding="utf-8")
    (folder / "index.html").write_text(render_index(reports, run_id, store.rejections(run_id)), encoding="utf-8")
    return folder


def _page(report: CompanyReport, store: ResultsStore) -> str:
    record = store.site(report.run_id, report.company.id)
    sections = {section.id: section for section in record.sections} if record else {}
    for signal in report.signals:  # withdrawn ones quote sections of earlier runs
        section_id = signal.evidence.section_id
        if section_id not in sections and (earlier := store.section(section_id)):
            sections[section_id] = earlier
    svg = to_svg(record.graph) if record and record.graph else ""
    return render_company(report, sections, store.fetches(report.run_id, report.company.id), svg)
