"""Deleting what later runs have replaced, in SQL."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, or_, select

from credit_signals.domain import FetchStatus
from credit_signals.store.database import Database
from credit_signals.store.tables import (
    fetches,
    listings,
    predictions,
    reports,
    run_companies,
    run_tasks,
    runs,
    sections,
    signals,
    site_records,
    site_sections,
)

_ORPHANS = 2000  # deleted per transaction, so that writers wait little


class RetentionPart:
    """The housekeeping methods of SqlStore."""

    _database: Database

    def delete_runs_before(self, moment: datetime) -> int:
        """Delete what later runs have recorded again; the number of runs wholly deleted."""
        latest = select(runs.c.id).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1).scalar_subquery()
        query = (
            select(runs.c.id, runs.c.started_at)
            .where(runs.c.started_at < moment, runs.c.id != latest)
            .order_by(runs.c.started_at)
        )
        with self._database.reading() as connection:
            old = connection.execute(query).all()
        deleted = sum(self._database.write(partial(_thin_out, run_id=run_id, started_at=at)) for run_id, at in old)
        if old:
            self._delete_orphans(sections, sections.c.id, _unused_section())
            self._delete_orphans(predictions, predictions.c.task_id, _unused_prediction())
        return deleted

    def _delete_orphans(self, table: Table, key: ColumnElement[str], unused: ColumnElement[bool]) -> None:
        def some(connection: Connection) -> int:
            ids = list(connection.scalars(select(key).where(unused).distinct().limit(_ORPHANS)))
            if ids:
                connection.execute(delete(table).where(key.in_(ids)))
            return len(ids)

        while self._database.write(some):
            pass


def _thin_out(connection: Connection, run_id: str, started_at: datetime) -> int:
    """Delete a run's rows of companies with a later record; 1 when the run itself went."""
    kept = select(site_records.c.company_id).where(
        site_records.c.run_id == run_id, ~_recorded_later(run_id, started_at)
    )
    keep = list(connection.scalars(kept))
    for table in (site_sections, site_records, run_tasks):
        connection.execute(delete(table).where(table.c.run_id == run_id, table.c.company_id.not_in(keep)))
    connection.execute(
        delete(fetches).where(fetches.c.run_id == run_id, fetches.c.company_id.not_in(keep), ~_stands_for_a_page())
    )
    if keep:
        return 0
    for table in (listings, reports, run_companies):
        connection.execute(delete(table).where(table.c.run_id == run_id))
    connection.execute(delete(runs).where(runs.c.id == run_id))
    return 1


def _recorded_later(run_id: str, started_at: datetime) -> ColumnElement[bool]:
    """A run started after this one has a record of the same company."""
    later, later_run = site_records.alias(), runs.alias()
    after = or_(
        later_run.c.started_at > started_at, and_(later_run.c.started_at == started_at, later_run.c.id > run_id)
    )
    return exists().where(later.c.company_id == site_records.c.company_id, later_run.c.id == later.c.run_id, after)


def _stands_for_a_page() -> ColumnElement[bool]:
    """An archived response that a later "not modified" refers to: the newest of its URL."""
    later = fetches.alias()
    same = and_(
        later.c.company_id == fetches.c.company_id,
        later.c.url_key == fetches.c.url_key,
        later.c.fetched_at > fetches.c.fetched_at,
    )
    replaced = exists().where(same, later.c.status == FetchStatus.OK.value, later.c.archive_file.is_not(None))
    confirmed = exists().where(same, later.c.status == FetchStatus.NOT_MODIFIED.value)
    return and_(fetches.c.status == FetchStatus.OK.value, fetches.c.archive_file.is_not(None), ~replaced, confirmed)


def _unused_section() -> ColumnElement[bool]:
    return and_(
        ~exists().where(site_sections.c.section_id == sections.c.id),
        ~exists().where(signals.c.section_id == sections.c.id),
        sections.c.id.not_in(select(run_tasks.c.section_id)),  # not indexed: hashed once
    )


def _unused_prediction() -> ColumnElement[bool]:
    return and_(
        ~exists().where(sections.c.content_hash == predictions.c.content_hash),
        ~exists().where(run_tasks.c.task_id == predictions.c.task_id),
    )
