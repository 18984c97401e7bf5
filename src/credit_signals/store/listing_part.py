"""The list of a run's companies in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from credit_signals.domain import CompanyReport, RunOverview, Wanted
from credit_signals.store.database import Database
from credit_signals.store.listing import folded, listed, report_group
from credit_signals.store.tables import listings, rejections, reports


def list_report(database: Database, connection: Connection, report: CompanyReport, number: int) -> None:
    """Put a report's line into its run's list, unless that of a later report stands there; `number` is its row."""
    line: Mapping[str, Any] = {"run_id": report.run_id, "report_id": number, **asdict(listed(report))}
    new = database.insert(listings).values(line)
    keys = [column.name for column in listings.primary_key]
    newer = new.on_conflict_do_update(
        index_elements=keys,
        set_={name: new.excluded[name] for name in line if name not in keys},
        where=listings.c.report_id < new.excluded.report_id,
    )
    connection.execute(newer)


class ListingPart:
    """The methods of SqlStore that list companies."""

    _database: Database

    def overview(self, run_id: str) -> RunOverview:
        """Counts of a run's newest reports."""
        group = listings.c.band, listings.c.status
        query = (
            select(*group, func.count(), func.sum(listings.c.signals), func.min(listings.c.gauge))
            .where(listings.c.run_id == run_id)
            .group_by(*group)
        )
        refused = select(func.count()).where(rejections.c.run_id == run_id)
        with self._database.reading() as connection:
            groups = tuple(report_group(*row) for row in sorted(connection.execute(query), key=lambda row: row[:2]))
            return RunOverview(groups=groups, rejected=connection.scalar(refused) or 0)

    def find_reports(self, run_id: str, wanted: Wanted, offset: int, limit: int) -> list[CompanyReport]:
        """Some of a run's newest reports, worst first."""
        place = listings.c.gauge, listings.c.domain, listings.c.company_id
        some = select(listings.c.report_id, *place).where(_chosen(run_id, wanted)).order_by(*place)
        page = some.offset(offset).limit(limit).subquery()
        query = (
            select(reports.c.report)
            .join(page, page.c.report_id == reports.c.id)
            .order_by(page.c.gauge, page.c.domain, page.c.company_id)
        )
        with self._database.reading() as connection:
            return [CompanyReport.model_validate(each) for each in connection.scalars(query)]

    def count_reports(self, run_id: str, wanted: Wanted) -> int:
        """How many `find_reports` finds without a limit."""
        query = select(func.count()).where(_chosen(run_id, wanted))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0


def _chosen(run_id: str, wanted: Wanted) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [listings.c.run_id == run_id]
    if text := folded(wanted.text):
        conditions.append(listings.c.words.contains(text, autoescape=True))
    if wanted.band:
        conditions.append(listings.c.band == wanted.band)
    if wanted.status:
        conditions.append(listings.c.status == wanted.status)
    if wanted.code:
        conditions.append(listings.c.codes.contains(f" {wanted.code} ", autoescape=True))
    return and_(*conditions)
