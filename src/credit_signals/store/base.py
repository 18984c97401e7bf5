"""The interface of the results store. Every write is idempotent; what an audit needs is never overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from credit_signals.domain import (
    Company,
    CompanyReport,
    DroppedBlock,
    Fetch,
    Prediction,
    Promotion,
    RegisteredReader,
    Rejection,
    Run,
    RunOverview,
    Section,
    SectionTask,
    Signal,
    SiteFact,
    SiteGraph,
    SiteStatus,
    Wanted,
    content_id,
)


def shard_of(domain: str, shards: int) -> int:
    """The shard of a domain, 0 to `shards` - 1; the same in every process and on every machine."""
    return int(content_id(domain), 16) % shards


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """What a crawl found at one company's site in one run."""

    run_id: str
    company_id: str
    status: SiteStatus
    reason: str
    pages: int
    language: str
    crawled_at: datetime
    graph: SiteGraph | None = None
    facts: tuple[SiteFact, ...] = ()
    dropped: tuple[DroppedBlock, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Counts of one run. `unread` = tasks planned - read - dead. A text that two companies share counts for each.

    `last_crawl`: when the latest of its sites was crawled; None before the first.
    """

    companies: int
    crawled: int
    tasks: int
    read: int
    dead: int
    statuses: Mapping[str, int] = field(default_factory=dict)
    last_crawl: datetime | None = None

    @property
    def answered(self) -> int:
        """Tasks that wait for no reader any more: read, or dead."""
        return self.read + self.dead

    @property
    def unread(self) -> int:
        """Tasks that still wait for a reader."""
        return self.tasks - self.answered


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """From which revision of the schema to which; equal where nothing was to do. Empty: no schema."""

    before: str
    after: str


class SignalChange(StrEnum):
    """What befell a signal."""

    SEEN = "seen"  # for the first time
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"  # withdrawn once, and stated again


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """One change of a signal, kept for audits."""

    signal_id: str
    change: SignalChange
    at: datetime


class ResultsStore(Protocol):
    """Companies, crawls, sections, predictions, signals and reports.

    Every method raises StoreUnavailable when the database does not answer, and StoreError when a write names a run that
    is not in the store.
    """

    def migrate(self) -> SchemaChange:
        """Bring the schema up to date; processes that do it at once take turns."""

    def close(self) -> None:
        """Close connections."""

    # runs
    def start_run(self, run: Run, companies: Sequence[Company], rejected: Sequence[Rejection]) -> None:
        """Record a run and its companies; doing it again adds nothing."""

    def run(self, run_id: str) -> Run | None:
        """A run, or None."""

    def latest_run(self) -> Run | None:
        """The run started last, or None."""

    def companies(self, run_id: str, shard: int = 0, shards: int = 1) -> list[Company]:
        """The run's companies whose domain hashes to the shard, by domain."""

    def due_companies(self, crawled_before: datetime, limit: int | None = None) -> list[Company]:
        """Known companies never crawled, or last crawled before a moment; those waiting longest first."""

    def find_company(self, domain: str) -> Company | None:
        """A company by its domain."""

    def rejections(self, run_id: str, limit: int | None = None) -> list[Rejection]:
        """The refused lines of the run's list, the first ones of them with a limit."""

    # crawl
    def save_fetches(self, run_id: str, fetches: Sequence[Fetch]) -> None:
        """Record outcomes; one row per run, company and URL: the one fetched last."""

    def fetches(self, run_id: str, company_id: str) -> list[Fetch]:
        """The outcomes of this run, in the order they were made."""

    def archived_fetches(self, company_id: str) -> dict[str, Fetch]:
        """By URL: the newest OK outcome of any run whose response lies in the archive."""

    def save_site(self, record: SiteRecord) -> None:
        """Record a finished crawl in one transaction; the first record of a run stays. Sections are kept by id."""

    def site(self, run_id: str, company_id: str) -> SiteRecord | None:
        """What `save_site` recorded, or None."""

    # reading
    def plan_tasks(self, run_id: str, company_id: str, tasks: Sequence[SectionTask], reread: bool) -> list[SectionTask]:
        """Note the tasks of a company in a run; the ones that have no prediction yet (all, if `reread`) are returned.

        With `reread`, a task counts as unread until a prediction newer than the run's start is saved.
        """

    def unqueued_tasks(self, run_id: str) -> list[SectionTask]:
        """Planned tasks without prediction that were never marked queued (a crash between plan and put)."""

    def unread_tasks(self, run_id: str) -> list[SectionTask]:
        """The run's tasks that still wait for a reader, queued or not (to queue them again when a queue lost them)."""

    def mark_queued(self, task_ids: Sequence[str]) -> None:
        """Note that tasks were put on the queue."""

    def queued_count(self, run_id: str) -> int:
        """Tasks of the run that were put on the queue, read or not; the others had their answer already."""

    def save_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions; of a task that has one, another is added only where a run with `reread` waits for it."""

    def answered(self, task_ids: Sequence[str]) -> set[str]:
        """Those of the tasks that need no reader any more: a stored prediction answers every plan that names them.

        Plans that it answers are marked as read.
        """

    def mark_dead(self, task_id: str, reason: str, failed_at: datetime | None = None) -> None:
        """Note that a task failed for good; a later prediction clears it.

        Plans made after `failed_at` are not touched: they are a new attempt.
        """

    def predictions(self, run_id: str, company_id: str) -> dict[str, Prediction]:
        """By content hash: the newest predictions of the run's tasks of a company."""

    def unread(self, run_id: str) -> int:
        """Tasks of the run that still wait for a reader."""

    def progress(self, run_id: str) -> RunProgress:
        """Counts of the run."""

    # results
    def signals(self, company_id: str) -> list[Signal]:
        """All signals of a company, withdrawn ones included."""

    def save_signals(self, signals: Sequence[Signal]) -> None:
        """Upsert signals by id; each quote is checked against its stored section. Raises EvidenceMismatch.

        `first_seen` never moves later, `last_seen` never earlier. The rest is that of the later state: the one whose
        `last_seen` or `withdrawn_at` is later.
        """

    def signal_events(self, company_id: str) -> list[SignalEvent]:
        """The changes of a company's signals, oldest first."""

    def save_report(self, report: CompanyReport) -> None:
        """Keep the report of a company in a run; earlier ones stay, the newest is the one that `report` gives."""

    def report(self, run_id: str, company_id: str) -> CompanyReport | None:
        """A report, or None."""

    def reports(self, run_id: str) -> list[CompanyReport]:
        """All reports of a run, by domain."""

    def overview(self, run_id: str) -> RunOverview:
        """Counts of a run's newest reports, in the order of band and status, and of its refused lines."""

    def find_reports(self, run_id: str, wanted: Wanted, offset: int, limit: int) -> list[CompanyReport]:
        """Some of a run's newest reports: worst first, those without a gauge last, equal ones by domain."""

    def count_reports(self, run_id: str, wanted: Wanted) -> int:
        """How many `find_reports` finds without a limit."""

    def section(self, section_id: str) -> Section | None:
        """A section by id, whichever run stored it."""

    # readers
    def register_reader(self, reader: RegisteredReader) -> RegisteredReader:
        """Keep a reader; the kept one is given.

        A known id keeps its first moment and takes the new place of the manifest, which is no part of what the reader
        is. Raises StoreError when anything else differs: equal ids are equal readers.
        """

    def reader(self, reader_id: str) -> RegisteredReader | None:
        """A registered reader, or None."""

    def readers(self) -> list[RegisteredReader]:
        """All registered readers, in the order of their registration."""

    def present_reader(self) -> RegisteredReader | None:
        """The reader that the latest decision left at work, or None: that of the settings."""

    def record_promotion(self, promotion: Promotion) -> None:
        """Add a decision to the history.

        Raises StoreError when its reader is not registered, or when its `previous` is not the present reader: somebody
        else decided meanwhile. Refusals are kept whatever is present.
        """

    def promotions(self) -> list[Promotion]:
        """All decisions, oldest first."""

    # housekeeping
    def delete_runs_before(self, moment: datetime) -> int:
        """Delete what runs started before a moment recorded of companies that a later run has recorded again.

        A run of which nothing is left goes with its list and reports; the number of those is given. Signals, the
        sections that they quote, the last run, and fetches whose archived response still stands for a page stay.
        """

    def archive_files_in_use(self) -> set[str]:
        """The names of the archive files that a recorded fetch refers to."""
