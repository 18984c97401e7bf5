"""From stored reports to HTML pages."""

from __future__ import annotations

import math
from pathlib import Path

from credit_signals.domain import Company, CompanyReport, Wanted
from credit_signals.errors import CreditSignalsError
from credit_signals.graph import to_svg
from credit_signals.report import MAX_REJECTIONS, IndexPage, index_name, page_name, render_company, render_index
from credit_signals.store.base import ResultsStore

ON_A_FILE = 1000  # companies of a written page of the index


def company_page(run_id: str, company: Company, store: ResultsStore) -> str:
    """The HTML page of one company in one run. Raises CreditSignalsError when the run has not scored it."""
    report = store.report(run_id, company.id)
    if report is None:
        raise CreditSignalsError(f"{company.domain}: no report in run {run_id}; run `credit-signals score` first")
    return _page(report, store)


def write_pages(run_id: str, store: ResultsStore, folder: Path) -> Path:
    """Write a page per company and an index, of several pages for a long list, into a folder; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    number = pages = 1
    while number <= pages:
        page = index_page(run_id, store, number, ON_A_FILE)
        for report in page.reports:
            (folder / page_name(report.company)).write_text(_page(report, store), encoding="utf-8")
        (folder / index_name(number)).write_text(render_index(page), encoding="utf-8")
        number, pages = number + 1, page.pages
    while (stale := folder / index_name(number)).exists():  # of a list that was longer
        stale.unlink()
        number += 1
    return folder


def index_page(run_id: str, store: ResultsStore, number: int, size: int, wanted: Wanted = Wanted()) -> IndexPage:  # noqa: B008  # frozen
    """A page of a run's companies: the one of that number, or the last."""
    overview = store.overview(run_id)
    found = overview.companies if wanted == Wanted() else store.count_reports(run_id, wanted)
    pages = max(1, math.ceil(found / size))
    number = min(max(number, 1), pages)
    return IndexPage(
        run_id=run_id,
        reports=store.find_reports(run_id, wanted, (number - 1) * size, size) if found else [],
        overview=overview,
        rejections=store.rejections(run_id, MAX_REJECTIONS) if number == 1 else (),
        number=number,
        pages=pages,
        per_page=size,
        found=found,
        wanted=wanted,
    )


def _page(report: CompanyReport, store: ResultsStore) -> str:
    record = store.site(report.run_id, report.company.id)
    sections = {section.id: section for section in record.sections} if record else {}
    for signal in report.signals:  # withdrawn ones quote sections of earlier runs
        section_id = signal.evidence.section_id
        if section_id not in sections and (earlier := store.section(section_id)):
            sections[section_id] = earlier
    svg = to_svg(record.graph) if record and record.graph else ""
    return render_company(report, sections, store.fetches(report.run_id, report.company.id), svg)
