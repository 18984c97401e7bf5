"""Fetches, site records and sections in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from credit_signals.domain import Fetch, FetchStatus, Section
from credit_signals.store.base import SiteRecord
from credit_signals.store.database import Database
from credit_signals.store.rows import batches, fetch_row, section_from, section_row, site_from, site_row
from credit_signals.store.run_part import require_run
from credit_signals.store.tables import companies, fetches, sections, site_records, site_sections


def keep_sections(database: Database, connection: Connection, given: Sequence[Section]) -> None:
    """Store the sections that are not stored yet."""
    unique = {section.id: section for section in given}
    for some in batches(sorted(unique)):
        known = set(connection.scalars(select(sections.c.id).where(sections.c.id.in_(some))))
        new = [section_row(unique[each]) for each in some if each not in known]
        if new:
            connection.execute(database.insert(sections).on_conflict_do_nothing(), new)


class CrawlPart:
    """The crawl methods of SqlStore."""

    _database: Database

    def save_fetches(self, run_id: str, fetches: Sequence[Fetch]) -> None:
        """Record outcomes; one row per run, company and URL: the one fetched last."""
        rows = [fetch_row(run_id, fetch) for fetch in fetches]
        if rows:
            self._database.write(lambda connection: self._add_fetches(connection, run_id, rows))

    def _add_fetches(self, connection: Connection, run_id: str, rows: list[dict[str, object]]) -> None:
        require_run(connection, run_id)
        new = self._database.insert(fetches)
        newest = new.on_conflict_do_update(
            index_elements=["run_id", "company_id", "url_key"],
            set_={name: new.excluded[name] for name in ("status", "fetched_at", "archive_file", "fetch")},
            where=fetches.c.fetched_at <= new.excluded.fetched_at,
        )
        connection.execute(newest, rows)

    def fetches(self, run_id: str, company_id: str) -> list[Fetch]:
        """The outcomes of this run, in the order they were made."""
        query = (
            select(fetches.c.fetch)
            .where(fetches.c.run_id == run_id, fetches.c.company_id == company_id)
            .order_by(fetches.c.fetched_at, fetches.c.id)
        )
        with self._database.reading() as connection:
            return [Fetch.model_validate(fetch) for fetch in connection.scalars(query)]

    def archived_fetches(self, company_id: str) -> dict[str, Fetch]:
        """By URL: the newest OK outcome of any run whose response lies in the archive."""
        query = (
            select(fetches.c.fetch)
            .where(fetches.c.company_id == company_id, fetches.c.archive_file.is_not(None))
            .where(fetches.c.status == FetchStatus.OK.value)
            .order_by(fetches.c.fetched_at, fetches.c.id)
        )
        with self._database.reading() as connection:
            found = [Fetch.model_validate(fetch) for fetch in connection.scalars(query)]
        return {fetch.url: fetch for fetch in found}

    def archive_files_in_use(self) -> set[str]:
        """The names of the archive files that a recorded fetch refers to."""
        query = select(fetches.c.archive_file).where(fetches.c.archive_file.is_not(None)).distinct()
        with self._database.reading() as connection:
            return {name for name in connection.scalars(query) if name}

    def save_site(self, record: SiteRecord) -> None:
        """Record a finished crawl in one transaction; the first record of a run stays. Sections are kept by id."""
        self._database.write(lambda connection: self._add_site(connection, record))

    def _add_site(self, connection: Connection, record: SiteRecord) -> None:
        require_run(connection, record.run_id)
        if not self._database.add(connection, site_records, site_row(record)):
            return
        keep_sections(self._database, connection, record.sections)
        places = [
            {"run_id": record.run_id, "company_id": record.company_id, "position": position, "section_id": section.id}
            for position, section in enumerate(record.sections)
        ]
        if places:
            connection.execute(self._database.insert(site_sections), places)
        crawled = companies.c.last_crawled_at
        connection.execute(
            update(companies)
            .where(companies.c.id == record.company_id, or_(crawled.is_(None), crawled < record.crawled_at))
            .values(last_crawled_at=record.crawled_at)
        )

    def site(self, run_id: str, company_id: str) -> SiteRecord | None:
        """What `save_site` recorded, or None."""
        with self._database.reading() as connection:
            return _read_site(connection, run_id, company_id)

    def section(self, section_id: str) -> Section | None:
        """A section by id, whichever run stored it."""
        with self._database.reading() as connection:
            row = connection.execute(select(sections).where(sections.c.id == section_id)).mappings().first()
        return section_from(row) if row else None


def _read_site(connection: Connection, run_id: str, company_id: str) -> SiteRecord | None:
    query = select(site_records).where(site_records.c.run_id == run_id, site_records.c.company_id == company_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    listed = (
        select(sections)
        .join(site_sections, site_sections.c.section_id == sections.c.id)
        .where(site_sections.c.run_id == run_id, site_sections.c.company_id == company_id)
        .order_by(site_sections.c.position)
    )
    return site_from(row, [section_from(each) for each in connection.execute(listed).mappings()])
