"""The results store of one process, for tests and small jobs: everything is gone with it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from credit_signals.domain import (
    Company,
    CompanyReport,
    Fetch,
    FetchStatus,
    Prediction,
    Rejection,
    Run,
    Section,
    SectionTask,
    Signal,
    now,
)
from credit_signals.errors import StoreError
from credit_signals.store.base import RunProgress, SchemaChange, SignalEvent, SiteRecord, shard_of
from credit_signals.store.memory_registry import MemoryRegistry
from credit_signals.store.memory_results import MemoryResults
from credit_signals.store.rules import check_quote, first_events, merge_signal

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A task of a company in a run."""

    task: SectionTask
    planned_at: datetime
    needed_after: datetime | None
    queued: bool = False
    reused: bool = False
    dead: bool = False
    read: bool = False

    @property
    def waiting(self) -> bool:
        return not self.read and not self.dead


class MemoryStore(MemoryRegistry, MemoryResults):
    """A ResultsStore in memory; safe for threads. Behaves as SqlStore does."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._run_companies: dict[str, dict[str, Company]] = {}
        self._rejections: dict[str, list[Rejection]] = {}
        self._companies: dict[str, tuple[datetime, Company]] = {}  # by id, with the moment of the list
        self._crawled: dict[str, datetime] = {}
        self._fetches: dict[tuple[str, str], dict[str, Fetch]] = {}  # run and company, then URL
        self._sites: dict[tuple[str, str], SiteRecord] = {}
        self._sections: dict[str, Section] = {}
        self._plans: dict[tuple[str, str], dict[str, _Plan]] = {}  # run and company, then task
        self._predictions: dict[str, list[Prediction]] = {}
        self._signals: dict[str, Signal] = {}
        self._events: set[SignalEvent] = set()
        self._reports: dict[tuple[str, str], list[CompanyReport]] = {}

    def migrate(self) -> SchemaChange:
        """Nothing to do."""
        return SchemaChange("", "")

    def close(self) -> None:
        """Nothing to do."""

    def start_run(self, run: Run, companies: Sequence[Company], rejected: Sequence[Rejection]) -> None:
        """Record a run and its companies; doing it again adds nothing."""
        with self._lock:
            if run.id in self._runs:
                return
            self._runs[run.id] = run
            self._run_companies[run.id] = {company.id: company for company in companies}
            self._rejections[run.id] = list(rejected)
            for company in companies:
                if self._companies.get(company.id, (_NEVER, company))[0] <= run.started_at:
                    self._companies[company.id] = (run.started_at, company)

    def run(self, run_id: str) -> Run | None:
        """A run, or None."""
        return self._runs.get(run_id)

    def latest_run(self) -> Run | None:
        """The run started last, or None."""
        with self._lock:
            return max(self._runs.values(), key=_age, default=None)

    def companies(self, run_id: str, shard: int = 0, shards: int = 1) -> list[Company]:
        """The run's companies whose domain hashes to the shard, by domain."""
        listed = self._run_companies.get(run_id, {}).values()
        return sorted((each for each in listed if shard_of(each.domain, shards) == shard), key=_place)

    def due_companies(self, crawled_before: datetime, limit: int | None = None) -> list[Company]:
        """Known companies never crawled, or last crawled before a moment; those waiting longest first."""
        with self._lock:
            due = [each for each in self._by_domain().values() if self._crawled.get(each.id, _NEVER) < crawled_before]
            return sorted(due, key=lambda each: (self._crawled.get(each.id, _NEVER), *_place(each)))[:limit]

    def find_company(self, domain: str) -> Company | None:
        """A company by its domain: the one listed last."""
        with self._lock:
            return self._by_domain().get(domain)

    def _by_domain(self) -> dict[str, Company]:
        listed = sorted(self._companies.values(), key=lambda each: (each[0], each[1].id))
        return {company.domain: company for _, company in listed}

    def rejections(self, run_id: str, limit: int | None = None) -> list[Rejection]:
        """The refused lines of the run's list, the first ones of them with a limit."""
        return list(self._rejections.get(run_id, ()))[:limit]

    def _require_run(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise StoreError(f"run {run_id!r} is not in the store")
        return self._runs[run_id]

    def save_fetches(self, run_id: str, fetches: Sequence[Fetch]) -> None:
        """Record outcomes; one row per run, company and URL: the one fetched last."""
        with self._lock:
            for fetch in fetches:
                self._require_run(run_id)
                known = self._fetches.setdefault((run_id, fetch.company_id), {})
                if fetch.url not in known or known[fetch.url].fetched_at <= fetch.fetched_at:
                    known[fetch.url] = fetch

    def fetches(self, run_id: str, company_id: str) -> list[Fetch]:
        """The outcomes of this run, in the order they were made."""
        with self._lock:
            return sorted(self._fetches.get((run_id, company_id), {}).values(), key=lambda fetch: fetch.fetched_at)

    def archived_fetches(self, company_id: str) -> dict[str, Fetch]:
        """By URL: the newest OK outcome of any run whose response lies in the archive."""
        with self._lock:
            found = [fetch for _, fetch in self._all_fetches() if fetch.company_id == company_id and _archived(fetch)]
        return {fetch.url: fetch for fetch in sorted(found, key=lambda fetch: fetch.fetched_at)}

    def _all_fetches(self) -> Iterator[tuple[tuple[str, str], Fetch]]:
        return ((key, fetch) for key, by_url in self._fetches.items() for fetch in by_url.values())

    def save_site(self, record: SiteRecord) -> None:
        """Record a finished crawl; the first record of a run stays. Sections are kept by id."""
        with self._lock:
            self._require_run(record.run_id)
            if (record.run_id, record.company_id) in self._sites:
                return
            kept = tuple(self._sections.setdefault(section.id, section) for section in record.sections)
            self._sites[record.run_id, record.company_id] = replace(record, sections=kept)
            if record.company_id in self._companies:
                at = max(record.crawled_at, self._crawled.get(record.company_id, _NEVER))
                self._crawled[record.company_id] = at

    def site(self, run_id: str, company_id: str) -> SiteRecord | None:
        """What `save_site` recorded, or None."""
        return self._sites.get((run_id, company_id))

    def section(self, section_id: str) -> Section | None:
        """A section by id, whichever run stored it."""
        return self._sections.get(section_id)

    def plan_tasks(self, run_id: str, company_id: str, tasks: Sequence[SectionTask], reread: bool) -> list[SectionTask]:
        """Note the tasks of a company in a run; the ones that still wait for a prediction are returned."""
        with self._lock:
            run = self._require_run(run_id)
            needed_after = run.started_at if reread else None
            plans = self._plans.setdefault((run_id, company_id), {})
            unique = {task.id: task for task in tasks}
            for task in unique.values():
                self._sections.setdefault(task.section.id, task.section)
                if task.id not in plans:
                    plan = _Plan(task, now(), needed_after)
                    answered = self._answered(plan)
                    plans[task.id] = replace(plan, read=answered, reused=answered)
            return [task for task in unique.values() if plans[task.id].waiting]

    def _answered(self, plan: _Plan) -> bool:
        after = plan.needed_after or _NEVER
        return any(prediction.read_at >= after for prediction in self._predictions.get(plan.task.id, ()))

    def _plans_of(self, run_id: str) -> list[_Plan]:
        with self._lock:
            found = [
                (key[1], plan) for key, by_task in self._plans.items() if key[0] == run_id for plan in by_task.values()
            ]
        return [plan for _, plan in sorted(found, key=lambda each: (each[0], each[1].task.id))]

    def unqueued_tasks(self, run_id: str) -> list[SectionTask]:
        """Planned tasks without prediction that were never marked queued (a crash between plan and put)."""
        return _tasks(plan for plan in self._plans_of(run_id) if plan.waiting and not plan.queued)

    def unread_tasks(self, run_id: str) -> list[SectionTask]:
        """The run's tasks that still wait for a reader, queued or not."""
        return _tasks(plan for plan in self._plans_of(run_id) if plan.waiting)

    def mark_queued(self, task_ids: Sequence[str]) -> None:
        """Note that tasks were put on the queue."""
        with self._lock:
            for plans in self._plans.values():
                for task_id in task_ids:
                    if task_id in plans and not plans[task_id].reused:
                        plans[task_id] = replace(plans[task_id], queued=True)

    def queued_count(self, run_id: str) -> int:
        """Tasks of the run that were put on the queue, read or not."""
        return sum(plan.queued for plan in self._plans_of(run_id))

    def save_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions; of a task that has one, another is added only where a run with `reread` waits for it."""
        with self._lock:
            for prediction in sorted(predictions, key=lambda each: (each.task_id, each.read_at)):
                known = self._predictions.setdefault(prediction.task_id, [])
                plans = [by[prediction.task_id] for by in self._plans.values() if prediction.task_id in by]
                needed = max((plan.needed_after or _NEVER for plan in plans if not plan.read), default=_NEVER)
                if not known or known[-1].read_at < needed <= prediction.read_at:
                    known.append(prediction)
                for by_task in self._plans.values():
                    plan = by_task.get(prediction.task_id)
                    if plan and self._answered(plan):
                        by_task[prediction.task_id] = replace(plan, read=True, dead=False)

    def answered(self, task_ids: Sequence[str]) -> set[str]:
        """Those of the tasks that a stored prediction answers for every plan; these plans are marked as read."""
        with self._lock:
            answered = {task_id for task_id in task_ids if self._predictions.get(task_id)}
            for by_task in self._plans.values():
                for task_id in answered & set(by_task):
                    if self._answered(by_task[task_id]):
                        by_task[task_id] = replace(by_task[task_id], read=True, dead=False)
            return {
                task_id for task_id in answered if all(b[task_id].read for b in self._plans.values() if task_id in b)
            }

    def mark_dead(self, task_id: str, reason: str, failed_at: datetime | None = None) -> None:
        """Note that a task failed for good; a later prediction clears it."""
        with self._lock:
            for by_task in self._plans.values():
                plan = by_task.get(task_id)
                if plan and plan.waiting and (failed_at is None or plan.planned_at <= failed_at):
                    by_task[task_id] = replace(plan, dead=True)

    def predictions(self, run_id: str, company_id: str) -> dict[str, Prediction]:
        """By content hash: the newest predictions of the run's tasks of a company."""
        with self._lock:
            plans = self._plans.get((run_id, company_id), {})
            found = [each for task_id in plans for each in self._predictions.get(task_id, ())]
        return {each.content_hash: each for each in sorted(found, key=lambda each: each.read_at)}

    def unread(self, run_id: str) -> int:
        """Tasks of the run that still wait for a reader."""
        return sum(plan.waiting for plan in self._plans_of(run_id))

    def progress(self, run_id: str) -> RunProgress:
        """Counts of the run."""
        with self._lock:
            plans = self._plans_of(run_id)
            sites = [site for (run, _), site in self._sites.items() if run == run_id]
            return RunProgress(
                companies=len(self._run_companies.get(run_id, ())),
                crawled=len(sites),
                tasks=len(plans),
                read=sum(plan.read for plan in plans),
                dead=sum(plan.dead for plan in plans),
                statuses=dict(Counter(site.status.value for site in sites)),
                last_crawl=max((site.crawled_at for site in sites), default=None),
            )

    def signals(self, company_id: str) -> list[Signal]:
        """All signals of a company, withdrawn ones included."""
        with self._lock:
            found = [signal for signal in self._signals.values() if signal.company_id == company_id]
        return sorted(found, key=lambda signal: (signal.first_seen, signal.id))

    def save_signals(self, signals: Sequence[Signal]) -> None:
        """Upsert signals by id; each quote is checked against its stored section. Raises EvidenceMismatch."""
        with self._lock:
            texts = {section.id: section.text for section in self._sections.values()}
            for signal in signals:
                check_quote(signal, texts)
            for signal in signals:
                if signal.id in self._signals:
                    self._signals[signal.id], event = merge_signal(self._signals[signal.id], signal)
                    self._events.update([event] if event else [])
                else:
                    self._signals[signal.id] = signal
                    self._events.update(first_events(signal))

    def signal_events(self, company_id: str) -> list[SignalEvent]:
        """The changes of a company's signals, oldest first."""
        with self._lock:
            found = [event for event in self._events if self._signals[event.signal_id].company_id == company_id]
        return sorted(found, key=lambda event: (event.at, event.signal_id, event.change))

    def delete_runs_before(self, moment: datetime) -> int:
        """Delete what old runs recorded of companies that a later run has recorded again; the runs wholly deleted."""
        with self._lock:
            latest = self.latest_run()
            old = [run for run in self._runs.values() if run.started_at < moment and run != latest]
            deleted = sum(self._thin_out(run) for run in sorted(old, key=_age))
            if old:
                self._delete_orphans()
            return deleted

    def _thin_out(self, run: Run) -> int:
        mine = [site.company_id for site in self._sites.values() if site.run_id == run.id]
        keep = {each for each in mine if not self._recorded_later(run, each)}
        for company_id in set(mine) - keep:
            del self._sites[run.id, company_id]
        for key in [key for key in self._plans if key[0] == run.id and key[1] not in keep]:
            del self._plans[key]
        for key in [key for key in self._fetches if key[0] == run.id and key[1] not in keep]:
            self._fetches[key] = {
                url: each for url, each in self._fetches[key].items() if self._stands_for_a_page(each)
            }
        if keep:
            return 0
        for key in [key for key in self._reports if key[0] == run.id]:
            del self._reports[key]
        del self._runs[run.id], self._run_companies[run.id], self._rejections[run.id]
        return 1

    def _recorded_later(self, run: Run, company_id: str) -> bool:
        return any(_age(other) > _age(run) and (other.id, company_id) in self._sites for other in self._runs.values())

    def _stands_for_a_page(self, fetch: Fetch) -> bool:
        later = [
            other
            for _, other in self._all_fetches()
            if (other.company_id, other.url) == (fetch.company_id, fetch.url) and other.fetched_at > fetch.fetched_at
        ]
        confirmed = any(other.status is FetchStatus.NOT_MODIFIED for other in later)
        return _archived(fetch) and confirmed and not any(_archived(other) for other in later)

    def _delete_orphans(self) -> None:
        used = {section.id for site in self._sites.values() for section in site.sections}
        used |= {plan.task.section.id for plans in self._plans.values() for plan in plans.values()}
        used |= {signal.evidence.section_id for signal in self._signals.values()}
        self._sections = {key: section for key, section in self._sections.items() if key in used}
        hashes = {section.content_hash for section in self._sections.values()}
        self._predictions = {key: each for key, each in self._predictions.items() if each[0].content_hash in hashes}

    def archive_files_in_use(self) -> set[str]:
        """The names of the archive files that a recorded fetch refers to."""
        with self._lock:
            return {fetch.archived_at.file for _, fetch in self._all_fetches() if fetch.archived_at}


def _age(run: Run) -> tuple[datetime, str]:
    return run.started_at, run.id


def _place(company: Company) -> tuple[str, str]:
    return company.domain, company.id


def _archived(fetch: Fetch) -> bool:
    return fetch.status is FetchStatus.OK and fetch.archived_at is not None


def _tasks(plans: Iterator[_Plan]) -> list[SectionTask]:
    """The tasks of plans, each once."""
    return list({plan.task.id: plan.task for plan in plans}.values())
