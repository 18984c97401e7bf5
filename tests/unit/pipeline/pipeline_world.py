"""A run in memory: store, queue and reader are the shipped twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from credit_signals import pipeline
from credit_signals.crawl import FetchLimits
from credit_signals.domain import (
    Company,
    CompanyReport,
    Fetch,
    FetchStatus,
    PageRole,
    Run,
    Section,
    Sentence,
    SiteStatus,
    now,
)
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.scoring import load_weights
from credit_signals.store import MemoryStore
from credit_signals.store.base import SiteRecord
from credit_signals.task_queue import MemoryQueue, QueueOptions

SITE = "https://mill.example"
MILL = Company(id="mill", name="The Mill", domain="mill.example", url=SITE + "/")


def section(path: str, *sentences: str, language: str = "en") -> Section:
    """A section of the mill's site."""
    places, at = [], 0
    for number, sentence in enumerate(sentences, 1):
        places.append(Sentence(number=number, start=at, end=at + len(sentence)))
        at += len(sentence) + 1
    return Section.build(
        company_id="mill",
        url=SITE + path,
        role=PageRole.NEWS,
        text=" ".join(sentences),
        sentences=tuple(places),
        language=language,
    )


@dataclass
class World:
    """One company, read by a scripted reader."""

    archive: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    queue: MemoryQueue = field(
        default_factory=lambda: MemoryQueue(options=QueueOptions(max_attempts=2, idle_seconds=0.1))
    )
    reader: ScriptedReader = field(
        default_factory=lambda: ScriptedReader(
            {"insolvency": "insolvency", "closing": "site_closure"}, languages=["en"], fails_on=["unreadable"]
        )
    )

    def tools(self, queue: MemoryQueue | None) -> pipeline.CrawlTools:
        """What crawling needs, without a network."""
        return pipeline.CrawlTools(self.store, queue, self.reader.id, self.archive, FetchLimits())

    def crawled(
        self, *sections: Section, reread: bool = False, queued: bool = True, faults: Mapping[str, int] | None = None
    ) -> Run:
        """A run whose crawl is over: these sections, and pages that answered with an HTTP error."""
        run = pipeline.open_run(self.store, pipeline.RunRequest([MILL], reread=reread))
        pages = dict.fromkeys(part.url for part in sections)
        self.store.save_fetches(run.id, [_fetch(url) for url in pages])
        self.store.save_fetches(run.id, [_fetch(SITE + path, code) for path, code in (faults or {}).items()])
        status = SiteStatus.READ if sections else SiteStatus.HTTP_ERROR
        record = SiteRecord(run.id, MILL.id, status, "", len(pages), "en", now(), sections=sections)
        self.store.save_site(record)
        pipeline.enqueue_company(run, record, self.tools(self.queue if queued else None))
        return run

    def work(self, **options: float) -> Mapping[str, int]:
        """A worker reads until the queue is empty; what it counted."""
        chosen = pipeline.WorkOptions(burst=True, **options)  # type: ignore[arg-type]
        return pipeline.work(self.queue, self.shelf, self.store, chosen)

    @property
    def shelf(self) -> pipeline.ReaderShelf:
        """The worker's readers: the scripted one."""
        return pipeline.ReaderShelf.of(self.reader)

    def score(self, run: Run) -> CompanyReport:
        """The mill's report."""
        (report,) = pipeline.score_run(run.id, self.store, load_weights())
        return report

    def read(self, *sections: Section, faults: Mapping[str, int] | None = None) -> CompanyReport:
        """A whole run over these sections."""
        run = self.crawled(*sections, faults=faults)
        self.work()
        return self.score(run)


def _fetch(url: str, code: int = 200) -> Fetch:
    status = FetchStatus.OK if code == 200 else FetchStatus.HTTP_ERROR
    return Fetch(company_id="mill", url=url, final_url=url, status=status, http_status=code, fetched_at=now())


def codes(report: CompanyReport, standing: bool = True) -> Sequence[str]:
    """The codes of the signals that stand, or of those that were withdrawn."""
    return [signal.code for signal in report.signals if (signal.withdrawn_at is None) == standing]
