"""Runs and companies in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Exists, and_, exists, or_, select

from credit_signals.domain import Company, Rejection, Run
from credit_signals.errors import StoreError
from credit_signals.store.base import shard_of
from credit_signals.store.database import Database
from credit_signals.store.rows import company_row, run_from, run_row
from credit_signals.store.tables import companies, rejections, run_companies, runs


def require_run(connection: Connection, run_id: str) -> None:
    """Raises StoreError when a run is not in the store."""
    if connection.execute(select(runs.c.id).where(runs.c.id == run_id)).first() is None:
        raise StoreError(f"run {run_id!r} is not in the store")


class RunPart:
    """The run methods of SqlStore."""

    _database: Database

    def start_run(self, run: Run, companies: Sequence[Company], rejected: Sequence[Rejection]) -> None:
        """Record a run and its companies; doing it again adds nothing."""
        self._database.write(lambda connection: self._start(connection, run, companies, rejected))

    def _start(
        self, connection: Connection, run: Run, listed: Sequence[Company], rejected: Sequence[Rejection]
    ) -> None:
        insert = self._database.insert
        if not self._database.add(connection, runs, run_row(run)):
            return
        unique = {company.id: company for company in listed}
        rows = [{"company_id": company.id, **company_row(company)} for company in unique.values()]
        if rows:
            connection.execute(insert(run_companies), [{"run_id": run.id, **row} for row in rows])
            new = insert(companies)
            newest = new.on_conflict_do_update(
                index_elements=[companies.c.id],
                set_={name: new.excluded[name] for name in ("domain", "company", "listed_at")},
                where=companies.c.listed_at <= new.excluded.listed_at,
            )
            # in one order everywhere: two runs started at once cannot block each other
            ordered = sorted(unique.values(), key=lambda company: company.id)
            connection.execute(
                newest, [{"id": each.id, "listed_at": run.started_at, **company_row(each)} for each in ordered]
            )
        if rejected:
            refused = [
                {"run_id": run.id, "position": position, **rejection.model_dump()}
                for position, rejection in enumerate(rejected)
            ]
            connection.execute(insert(rejections), refused)

    def run(self, run_id: str) -> Run | None:
        """A run, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id)).mappings().first()
        return run_from(row) if row else None

    def latest_run(self) -> Run | None:
        """The run started last, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1))
            found = row.mappings().first()
        return run_from(found) if found else None

    def companies(self, run_id: str, shard: int = 0, shards: int = 1) -> list[Company]:
        """The run's companies whose domain hashes to the shard, by domain."""
        table = run_companies
        query = select(table.c.domain, table.c.company).where(table.c.run_id == run_id)
        with self._database.reading() as connection:
            listed = connection.execute(query).all()
        mine = [Company.model_validate(each) for domain, each in listed if shard_of(domain, shards) == shard]
        return sorted(mine, key=lambda company: (company.domain, company.id))

    def due_companies(self, crawled_before: datetime, limit: int | None = None) -> list[Company]:
        """Known companies never crawled, or last crawled before a moment; those waiting longest first."""
        crawled = companies.c.last_crawled_at
        query = (
            select(companies.c.company)
            .where(or_(crawled.is_(None), crawled < crawled_before), ~_listed_anew())
            .order_by(crawled.asc().nulls_first(), companies.c.domain, companies.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Company.model_validate(company) for company in connection.scalars(query)]

    def find_company(self, domain: str) -> Company | None:
        """A company by its domain: the one listed last."""
        query = select(companies.c.company).where(companies.c.domain == domain, ~_listed_anew())
        with self._database.reading() as connection:
            company = connection.scalars(query).first()
        return Company.model_validate(company) if company else None

    def rejections(self, run_id: str, limit: int | None = None) -> list[Rejection]:
        """The refused lines of the run's list, the first ones of them with a limit."""
        query = (
            select(rejections.c.line, rejections.c.reason)
            .where(rejections.c.run_id == run_id)
            .order_by(rejections.c.position)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Rejection(line=line, reason=reason) for line, reason in connection.execute(query)]


def _listed_anew() -> Exists:
    """The domain stands under another id in a later list."""
    other = companies.alias()
    later = or_(
        other.c.listed_at > companies.c.listed_at,
        and_(other.c.listed_at == companies.c.listed_at, other.c.id > companies.c.id),
    )
    return exists().where(other.c.domain == companies.c.domain, later)
