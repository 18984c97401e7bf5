"""Between nouns and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from credit_signals.domain import (
    Company,
    DroppedBlock,
    Evidence,
    Fetch,
    PageRole,
    Prediction,
    Run,
    Section,
    SectionKind,
    SectionTask,
    Sentence,
    Signal,
    SiteFact,
    SiteGraph,
    SiteStatus,
    Stance,
    Subject,
    content_id,
)
from credit_signals.store.base import SiteRecord

T = TypeVar("T")
Row = dict[str, Any]
BATCH = 500


def batches(items: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The items in slices, so that no statement outgrows a database's limit of bound values."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def run_row(run: Run) -> Row:
    """A row of `runs`."""
    budget = run.budget.model_dump(mode="json")
    return {
        "id": run.id,
        "started_at": run.started_at,
        "budget": budget,
        "reread": int(run.reread),
        "reader_id": run.reader_id,
    }


def run_from(row: Mapping[Any, Any]) -> Run:
    """The run of a row."""
    return Run(
        id=row["id"],
        started_at=row["started_at"],
        budget=row["budget"],
        reread=bool(row["reread"]),
        reader_id=row["reader_id"],
    )


def company_row(company: Company) -> Row:
    """What `companies` and `run_companies` share."""
    return {"domain": company.domain, "company": company.model_dump(mode="json")}


def fetch_row(run_id: str, fetch: Fetch) -> Row:
    """A row of `fetches`."""
    return {
        "run_id": run_id,
        "company_id": fetch.company_id,
        "url_key": content_id(fetch.url),
        "status": fetch.status.value,
        "fetched_at": fetch.fetched_at,
        "archive_file": fetch.archived_at.file if fetch.archived_at else None,
        "fetch": fetch.model_dump(mode="json"),
    }


def section_row(section: Section) -> Row:
    """A row of `sections`."""
    return {
        "id": section.id,
        "content_hash": section.content_hash,
        "company_id": section.company_id,
        "url": section.url,
        "role": section.role.value,
        "kind": section.kind.value,
        "heading_path": list(section.heading_path),
        "text": section.text,
        "sentences": [[each.number, each.start, each.end] for each in section.sentences],
        "language": section.language,
        "published": section.published,
    }


def section_from(row: Mapping[Any, Any]) -> Section:
    """The section of a row."""
    return Section(
        id=row["id"],
        content_hash=row["content_hash"],
        company_id=row["company_id"],
        url=row["url"],
        role=PageRole(row["role"]),
        kind=SectionKind(row["kind"]),
        heading_path=tuple(row["heading_path"]),
        text=row["text"],
        sentences=tuple(Sentence(number=number, start=start, end=end) for number, start, end in row["sentences"]),
        language=row["language"],
        published=row["published"],
    )


def site_row(record: SiteRecord) -> Row:
    """A row of `site_records`; its sections have their own."""
    return {
        "run_id": record.run_id,
        "company_id": record.company_id,
        "status": record.status.value,
        "reason": record.reason,
        "pages": record.pages,
        "language": record.language,
        "crawled_at": record.crawled_at,
        "graph": record.graph.model_dump(mode="json") if record.graph else None,
        "facts": [fact.model_dump(mode="json") for fact in record.facts],
        "dropped": [block.model_dump(mode="json") for block in record.dropped],
    }


def site_from(row: Mapping[Any, Any], sections: Sequence[Section]) -> SiteRecord:
    """The site record of a row and its sections."""
    return SiteRecord(
        run_id=row["run_id"],
        company_id=row["company_id"],
        status=SiteStatus(row["status"]),
        reason=row["reason"],
        pages=row["pages"],
        language=row["language"],
        crawled_at=row["crawled_at"],
        graph=SiteGraph.model_validate(row["graph"]) if row["graph"] else None,
        facts=tuple(SiteFact.model_validate(fact) for fact in row["facts"]),
        dropped=tuple(DroppedBlock.model_validate(block) for block in row["dropped"]),
        sections=tuple(sections),
    )


def task_from(row: Mapping[Any, Any]) -> SectionTask:
    """The task of a row of `run_tasks` joined with its section."""
    return SectionTask(id=row["task_id"], section=section_from(row), reader_id=row["reader_id"])


def prediction_row(prediction: Prediction, generation: int) -> Row:
    """A row of `predictions`."""
    return {
        "task_id": prediction.task_id,
        "generation": generation,
        "content_hash": prediction.content_hash,
        "read_at": prediction.read_at,
        "prediction": prediction.model_dump(mode="json"),
    }


def signal_row(signal: Signal) -> Row:
    """A row of `signals`."""
    return {
        "id": signal.id,
        "company_id": signal.company_id,
        "code": signal.code,
        "stance": signal.stance.value,
        "subject": signal.subject.value,
        "severity": signal.severity,
        "confidence": signal.confidence,
        "section_id": signal.evidence.section_id,
        "evidence": signal.evidence.model_dump(mode="json"),
        "stated_on": signal.stated_on,
        "first_seen": signal.first_seen,
        "last_seen": signal.last_seen,
        "withdrawn_at": signal.withdrawn_at,
    }


def signal_from(row: Mapping[Any, Any]) -> Signal:
    """The signal of a row."""
    return Signal(
        id=row["id"],
        company_id=row["company_id"],
        code=row["code"],
        stance=Stance(row["stance"]),
        subject=Subject(row["subject"]),
        severity=row["severity"],
        confidence=row["confidence"],
        evidence=Evidence.model_validate(row["evidence"]),
        stated_on=row["stated_on"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        withdrawn_at=row["withdrawn_at"],
    )
