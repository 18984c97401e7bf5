"""From predictions to stored reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from credit_signals.domain import Company, CompanyReport, Fetch, FetchStatus, Prediction, Section, now
from credit_signals.pipeline.opening import known_run
from credit_signals.scoring import Weights, find_activities, find_signals, find_unsure, follow_signals, score_company
from credit_signals.store.base import ResultsStore, SiteRecord
from credit_signals.taxonomy.activities import title_of

REACHED = {FetchStatus.OK, FetchStatus.NOT_MODIFIED}


def score_run(run_id: str, store: ResultsStore, weights: Weights) -> Iterator[CompanyReport]:
    """Score every company of the run that was crawled; each report is stored before it is given."""
    known_run(store, run_id)
    for company in store.companies(run_id):
        record = store.site(run_id, company.id)
        if record is not None:
            yield score_record(company, record, store, weights)


def score_record(company: Company, record: SiteRecord, store: ResultsStore, weights: Weights) -> CompanyReport:
    """Join what was read of one company into its report and store it."""
    at = now()
    predictions = store.predictions(record.run_id, company.id)
    unsure = find_unsure(record.sections, predictions)
    signals = follow_signals(
        store.signals(company.id),
        find_signals(company.id, record.sections, predictions, record.crawled_at),
        _missing_urls(record, store.fetches(record.run_id, company.id), predictions),
        record.crawled_at,
        unsure,
    )
    store.save_signals(signals)
    unread = Counter(unread_reason(section, predictions) for section in record.sections)
    readers = Counter(prediction.reader_id for prediction in predictions.values())
    report = CompanyReport(
        run_id=record.run_id,
        company=company,
        status=record.status,
        reason=record.reason,
        pages=record.pages,
        sections=len(record.sections),
        unread_sections={reason: count for reason, count in sorted(unread.items()) if reason},
        unsure_statements=len(unsure),
        language=record.language,
        activities=tuple(find_activities(record.sections, predictions, title_of)),
        gauge=score_company(signals, record.facts, record.status, weights, at, text_read="" in unread),
        signals=tuple(signals),
        site_facts=record.facts,
        reader_id=readers.most_common(1)[0][0] if readers else "",
        scored_at=at,
    )
    store.save_report(report)
    return report


def unread_reason(section: Section, predictions: Mapping[str, Prediction]) -> str:
    """Why a section has no answer; empty when it was read."""
    prediction = predictions.get(section.content_hash)
    return "not read" if prediction is None else prediction.unread_reason


def _missing_urls(record: SiteRecord, fetches: Sequence[Fetch], predictions: Mapping[str, Prediction]) -> set[str]:
    """The pages that can be missing a statement: every section of them was read this time, or they are gone."""
    unread = {section.url for section in record.sections if unread_reason(section, predictions)}
    checked = {fetch.final_url for fetch in fetches if fetch.status in REACHED} - unread
    gone = {fetch.url for fetch in fetches if fetch.http_status in {404, 410}}
    return checked | gone
