"""Small nouns for the tests of the stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from credit_signals.domain import (
    ArchivedAt,
    Company,
    CompanyReport,
    Comparison,
    DroppedBlock,
    Evidence,
    Fetch,
    FetchStatus,
    FigureChange,
    GraphNode,
    Outcome,
    PageRole,
    Prediction,
    Promotion,
    RegisteredReader,
    Run,
    Score,
    Section,
    SectionTask,
    Sentence,
    Signal,
    SiteFact,
    SiteGraph,
    SiteStatus,
    Stance,
    Subject,
    Trade,
    content_id,
)
from credit_signals.store.base import SiteRecord

DAY0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
READER = "questions-1+model-a"


def day(number: float) -> datetime:
    """A moment, in days after the first."""
    return DAY0 + timedelta(days=number)


def run(name: str = "run-1", at: float = 0, reread: bool = False) -> Run:
    """A run."""
    return Run(id=name, started_at=day(at), reread=reread)


def company(key: str = "acme", **values: str) -> Company:
    """A company."""
    domain = values.get("domain", f"{key}.example")
    fields = {"id": key, "name": key.title(), "domain": domain, "url": f"https://{domain}/", **values}
    return Company(**fields)


def section(text: str = "We cut forty jobs.", owner: str = "acme", url: str = "") -> Section:
    """A section of one sentence."""
    return Section.build(
        company_id=owner,
        url=url or f"https://{owner}.example/news",
        role=PageRole.NEWS,
        heading_path=("News", "2026"),
        text=text,
        sentences=(Sentence(number=1, start=0, end=len(text)),),
        language="en",
        published="2026-03",
    )


def task(text: str = "We cut forty jobs.", owner: str = "acme") -> SectionTask:
    """The task of a section."""
    return SectionTask.build(section(text, owner), READER)


def prediction(of: SectionTask, at: float = 0.5, unread_reason: str = "") -> Prediction:
    """An answer to a task."""
    return Prediction(
        task_id=of.id,
        content_hash=of.section.content_hash,
        reader_id=of.reader_id,
        unread_reason=unread_reason,
        read_at=day(at),
    )


def fetch(
    url: str = "https://acme.example/",
    at: float = 0.1,
    status: FetchStatus = FetchStatus.OK,
    file: str = "",
    owner: str = "acme",
) -> Fetch:
    """The outcome of a request."""
    archived = ArchivedAt(file=file, offset=7) if file else None
    return Fetch(
        company_id=owner, url=url, final_url=url, status=status, fetched_at=day(at), archived_at=archived, etag='W/"1"'
    )


def site(
    run_id: str = "run-1",
    owner: str = "acme",
    at: float = 0.2,
    sections: tuple[Section, ...] = (),
    status: SiteStatus = SiteStatus.READ,
) -> SiteRecord:
    """What a crawl found."""
    node = GraphNode(url=f"https://{owner}.example/", role=PageRole.HOME, depth=0, rank=1.0, status=FetchStatus.OK)
    return SiteRecord(
        run_id=run_id,
        company_id=owner,
        status=status,
        reason="",
        pages=3,
        language="en",
        crawled_at=day(at),
        graph=SiteGraph(company_id=owner, nodes=(node,), edges=()),
        facts=(SiteFact(key="vat_id", value="GB123", source="imprint"),),
        dropped=(DroppedBlock(url=f"https://{owner}.example/", reason="navigation", characters=12),),
        sections=sections,
    )


def signal(
    of: Section, first: float = 1, last: float = 1, withdrawn: float | None = None, confidence: float = 0.8
) -> Signal:
    """A signal that quotes the whole of a section."""
    evidence = Evidence(url=of.url, section_id=of.id, sentences=(1,), start=0, end=len(of.text), quote=of.text)
    return Signal(
        id=content_id(of.company_id, "layoffs", of.text),
        company_id=of.company_id,
        code="layoffs",
        stance=Stance.OCCURRED,
        subject=Subject.COMPANY,
        severity=2,
        confidence=confidence,
        evidence=evidence,
        first_seen=day(first),
        last_seen=day(last),
        withdrawn_at=None if withdrawn is None else day(withdrawn),
        stated_on="2026-03",
    )


def report(run_id: str = "run-1", owner: str = "acme", pages: int = 3, gauge: int = 0) -> CompanyReport:
    """A report; `gauge` 0 for none."""
    return CompanyReport(
        run_id=run_id,
        company=company(owner),
        status=SiteStatus.READ,
        pages=pages,
        gauge=score(gauge) if gauge else None,
    )


def score(value: int) -> Score:
    """A gauge; a band is ten points wide."""
    return Score(value=value, band=f"band {value // 10}", base=value, contributions=(), weights_version="1")


def reader(reader_id: str = "1-a", at: float = 0, **values: Any) -> RegisteredReader:
    """A registered reader."""
    fields = {
        "id": reader_id,
        "kind": "encoder",
        "manifest": f"readers/{reader_id}.toml",
        "base": "base.gguf sha256:00",
        "data_hash": "data-1",
        "metrics": {"micro_f1": 0.8, "per_code": {"hiring": {"f1": 0.9}}},
        "card": "# A reader\x00 ü 😀",
        "registered_at": day(at),
    }
    return RegisteredReader.model_validate({**fields, **values})


def promotion(
    reader_id: str = "1-a", previous: str = "", outcome: Outcome = Outcome.PROMOTED, at: float = 1
) -> Promotion:
    """A decision about a reader."""
    figure = FigureChange(name="micro-F1", candidate=0.8, other=0.7, low=0.05, high=0.15)
    comparison = Comparison(
        other=previous or "baseline",
        data_hash="split-1",
        sentences=100,
        documents=40,
        resamples=1000,
        seed=1,
        figures=(figure,),
        candidate_cost=0.1,
        other_cost=0.2,
    )
    return Promotion(
        reader_id=reader_id,
        previous=previous,
        outcome=outcome,
        at=day(at),
        by="a test",
        explanation="better",
        comparison=comparison,
        trade=Trade(may_lose=0.01, cost_factor=0.5, reason="twice as fast"),
    )
