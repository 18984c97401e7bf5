"""Planned tasks and predictions in SQL.

Each row of `run_tasks` carries its state, so that counting a run reads one index. A plan and a prediction may be
written at the same moment by two processes: each first commits its own row and then, in a second transaction, looks
for the other's, so that one of them always sees both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, update

from credit_signals.domain import Prediction, SectionTask, now
from credit_signals.store.base import RunProgress
from credit_signals.store.crawl_part import keep_sections
from credit_signals.store.database import Database
from credit_signals.store.rows import batches, prediction_row, task_from
from credit_signals.store.run_part import require_run
from credit_signals.store.tables import (
    TaskState,
    predictions,
    run_companies,
    run_tasks,
    runs,
    sections,
    site_records,
)


class ReadingPart:
    """The reading methods of SqlStore."""

    _database: Database

    def plan_tasks(self, run_id: str, company_id: str, tasks: Sequence[SectionTask], reread: bool) -> list[SectionTask]:
        """Note the tasks of a company in a run; the ones that still wait for a prediction are returned."""
        unique = {task.id: task for task in tasks}

        def plan(connection: Connection) -> None:
            require_run(connection, run_id)
            keep_sections(self._database, connection, [task.section for task in unique.values()])
            started = connection.scalars(select(runs.c.started_at).where(runs.c.id == run_id)).one()
            rows = _plan_rows(run_id, company_id, list(unique.values()), started if reread else None)
            if rows:
                connection.execute(self._database.insert(run_tasks).on_conflict_do_nothing(), rows)

        def waiting(connection: Connection) -> set[str]:
            _note_answers(connection, sorted(unique), reused=True)
            query = select(run_tasks.c.task_id).where(_of_company(run_id, company_id), _is(TaskState.WAITING))
            return set(connection.scalars(query))

        self._database.write(plan)
        still = self._database.write(waiting)
        return [task for task in unique.values() if task.id in still]

    def unqueued_tasks(self, run_id: str) -> list[SectionTask]:
        """Planned tasks without prediction that were never marked queued (a crash between plan and put)."""
        return self._waiting(run_id, run_tasks.c.queued_at.is_(None))

    def unread_tasks(self, run_id: str) -> list[SectionTask]:
        """The run's tasks that still wait for a reader, queued or not."""
        return self._waiting(run_id)

    def _waiting(self, run_id: str, *conditions: ColumnElement[bool]) -> list[SectionTask]:
        query = (
            select(run_tasks.c.task_id, run_tasks.c.reader_id, sections)
            .join(sections, sections.c.id == run_tasks.c.section_id)
            .where(run_tasks.c.run_id == run_id, _is(TaskState.WAITING), *conditions)
            .order_by(run_tasks.c.company_id, run_tasks.c.task_id)
        )
        with self._database.reading() as connection:
            found = [task_from(row) for row in connection.execute(query).mappings()]
        return list({task.id: task for task in found}.values())

    def mark_queued(self, task_ids: Sequence[str]) -> None:
        """Note that tasks were put on the queue."""
        moment = now()

        def mark(connection: Connection) -> None:
            for some in batches(sorted(set(task_ids))):
                connection.execute(
                    update(run_tasks)
                    .where(run_tasks.c.task_id.in_(some), run_tasks.c.queued_at.is_(None), run_tasks.c.reused == 0)
                    .values(queued_at=moment)
                )

        self._database.write(mark)

    def queued_count(self, run_id: str) -> int:
        """Tasks of the run that were put on the queue, read or not."""
        return self._count(run_tasks.c.run_id == run_id, run_tasks.c.queued_at.is_not(None))

    def save_predictions(self, predictions: Sequence[Prediction]) -> None:
        """Add predictions; of a task that has one, another is added only where a run with `reread` waits for it."""
        for some in batches(sorted(predictions, key=lambda prediction: (prediction.task_id, prediction.read_at))):
            ids = sorted({prediction.task_id for prediction in some})
            self._database.write(partial(self._add, given=some, ids=ids))
            self._database.write(partial(_note_answers, task_ids=ids))

    def _add(self, connection: Connection, given: Sequence[Prediction], ids: Sequence[str]) -> None:
        read = predictions.c
        known_rows = connection.execute(
            select(read.task_id, func.max(read.generation), func.max(read.read_at))
            .where(read.task_id.in_(ids))
            .group_by(read.task_id)
        )
        known: dict[str, tuple[int, datetime]] = {task: (generation, at) for task, generation, at in known_rows}
        needed_rows = connection.execute(
            select(run_tasks.c.task_id, func.max(run_tasks.c.needed_after))
            .where(run_tasks.c.task_id.in_(list(known)), ~_is(TaskState.READ))
            .group_by(run_tasks.c.task_id)
        )
        needed: dict[str, datetime | None] = dict(needed_rows.all())
        rows = []
        for prediction in given:
            generation, latest = known.get(prediction.task_id, (0, None))
            after = needed.get(prediction.task_id)
            if latest is None or (after and latest < after <= prediction.read_at):
                rows.append(prediction_row(prediction, generation + 1))
                known[prediction.task_id] = (generation + 1, prediction.read_at)
        if rows:
            connection.execute(self._database.insert(predictions).on_conflict_do_nothing(), rows)

    def answered(self, task_ids: Sequence[str]) -> set[str]:
        """Those of the tasks that a stored prediction answers for every plan; these plans are marked as read."""
        with self._database.reading() as connection:
            known = {
                task_id
                for some in batches(sorted(set(task_ids)))
                for task_id in connection.scalars(select(predictions.c.task_id).where(predictions.c.task_id.in_(some)))
            }
        if not known:  # the rule: most tasks come once
            return set()

        def still_open(connection: Connection) -> set[str]:
            _note_answers(connection, sorted(known))
            return {
                task_id
                for some in batches(sorted(known))
                for task_id in connection.scalars(
                    select(run_tasks.c.task_id).where(run_tasks.c.task_id.in_(some), ~_is(TaskState.READ))
                )
            }

        return known - self._database.write(still_open)

    def mark_dead(self, task_id: str, reason: str, failed_at: datetime | None = None) -> None:
        """Note that a task failed for good; a later prediction clears it."""
        which = (run_tasks.c.task_id == task_id) & _is(TaskState.WAITING)
        if failed_at is not None:
            which &= run_tasks.c.planned_at <= failed_at
        if self._count(which):  # workers note the same dead letters again and again: no write for that
            change = update(run_tasks).where(which).values(state=TaskState.DEAD, dead_reason=reason)
            self._database.write(lambda connection: connection.execute(change))

    def predictions(self, run_id: str, company_id: str) -> dict[str, Prediction]:
        """By content hash: the newest predictions of the run's tasks of a company."""
        query = (
            select(predictions.c.prediction)
            .join(run_tasks, run_tasks.c.task_id == predictions.c.task_id)
            .where(_of_company(run_id, company_id))
            .order_by(predictions.c.read_at, predictions.c.generation)
        )
        with self._database.reading() as connection:
            found = [Prediction.model_validate(each) for each in connection.scalars(query)]
        return {prediction.content_hash: prediction for prediction in found}

    def unread(self, run_id: str) -> int:
        """Tasks of the run that still wait for a reader."""
        return self._count(run_tasks.c.run_id == run_id, _is(TaskState.WAITING))

    def progress(self, run_id: str) -> RunProgress:
        """Counts of the run."""
        states = select(run_tasks.c.state, func.count()).where(run_tasks.c.run_id == run_id).group_by(run_tasks.c.state)
        sites = (
            select(site_records.c.status, func.count(), func.max(site_records.c.crawled_at))
            .where(site_records.c.run_id == run_id)
            .group_by(site_records.c.status)
        )
        listed = select(func.count()).select_from(run_companies).where(run_companies.c.run_id == run_id)
        with self._database.reading() as connection:
            tasks: dict[int, int] = dict(connection.execute(states).all())
            found = connection.execute(sites).all()
            companies = connection.scalars(listed).one()
        statuses = {status: count for status, count, _ in found}
        return RunProgress(
            companies=companies,
            crawled=sum(statuses.values()),
            tasks=sum(tasks.values()),
            read=tasks.get(TaskState.READ, 0),
            dead=tasks.get(TaskState.DEAD, 0),
            statuses=statuses,
            last_crawl=max((latest for _, _, latest in found), default=None),
        )

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(run_tasks).where(*conditions)
        with self._database.reading() as connection:
            return connection.scalars(query).one()


def _is(state: TaskState) -> ColumnElement[bool]:
    return run_tasks.c.state == state


def _of_company(run_id: str, company_id: str) -> ColumnElement[bool]:
    return (run_tasks.c.run_id == run_id) & (run_tasks.c.company_id == company_id)


def _plan_rows(
    run_id: str, company_id: str, tasks: Sequence[SectionTask], needed_after: datetime | None
) -> list[dict[str, object]]:
    moment = now()
    return [
        {
            "run_id": run_id,
            "company_id": company_id,
            "task_id": task.id,
            "section_id": task.section.id,
            "reader_id": task.reader_id,
            "state": TaskState.WAITING,
            "reused": 0,
            "needed_after": needed_after,
            "planned_at": moment,
            "queued_at": None,
            "dead_reason": "",
        }
        for task in tasks
    ]


def _note_answers(connection: Connection, task_ids: Sequence[str], reused: bool = False) -> None:
    """Mark the plans that a stored prediction answers as read; `reused` when it was there before they were queued."""
    after = run_tasks.c.needed_after
    answered = exists().where(
        predictions.c.task_id == run_tasks.c.task_id, or_(after.is_(None), predictions.c.read_at >= after)
    )
    values: dict[str, int | str] = {"state": TaskState.READ, "dead_reason": ""}
    for some in batches(task_ids):
        unread = run_tasks.c.task_id.in_(some) & ~_is(TaskState.READ) & answered
        if reused:
            connection.execute(
                update(run_tasks).where(unread & run_tasks.c.queued_at.is_(None)).values(reused=1, **values)
            )
        connection.execute(update(run_tasks).where(unread).values(**values))
