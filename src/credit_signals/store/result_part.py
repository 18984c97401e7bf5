"""Signals and reports in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select, update

from credit_signals.domain import CompanyReport, Signal
from credit_signals.store.base import SignalChange, SignalEvent
from credit_signals.store.database import Database
from credit_signals.store.listing_part import list_report
from credit_signals.store.rows import batches, signal_from, signal_row
from credit_signals.store.rules import check_quote, first_events, merge_signal
from credit_signals.store.run_part import require_run
from credit_signals.store.tables import reports, sections, signal_events, signals


class ResultPart:
    """The result methods of SqlStore."""

    _database: Database

    def signals(self, company_id: str) -> list[Signal]:
        """All signals of a company, withdrawn ones included."""
        query = select(signals).where(signals.c.company_id == company_id).order_by(signals.c.first_seen, signals.c.id)
        with self._database.reading() as connection:
            return [signal_from(row) for row in connection.execute(query).mappings()]

    def save_signals(self, signals: Sequence[Signal]) -> None:
        """Upsert signals by id; each quote is checked against its stored section. Raises EvidenceMismatch."""
        ordered = sorted(signals, key=lambda signal: signal.id)
        if ordered:
            self._database.write(lambda connection: self._save_all(connection, ordered))

    def _save_all(self, connection: Connection, given: Sequence[Signal]) -> None:
        quoted = sorted({signal.evidence.section_id for signal in given})
        texts: dict[str, str] = {}
        for some in batches(quoted):
            found = connection.execute(select(sections.c.id, sections.c.text).where(sections.c.id.in_(some)))
            texts.update(found.all())
        for signal in given:
            check_quote(signal, texts)
        for signal in given:
            self._save(connection, signal)

    def _save(self, connection: Connection, signal: Signal) -> None:
        if self._database.add(connection, signals, signal_row(signal)):
            events = first_events(signal)
        else:
            held = select(signals).where(signals.c.id == signal.id).with_for_update()
            stored = signal_from(connection.execute(held).mappings().one())
            merged, event = merge_signal(stored, signal)
            if merged != stored:
                connection.execute(update(signals).where(signals.c.id == signal.id).values(signal_row(merged)))
            events = [event] if event else []
        if events:
            rows = [{"signal_id": each.signal_id, "change": each.change.value, "at": each.at} for each in events]
            connection.execute(self._database.insert(signal_events).on_conflict_do_nothing(), rows)

    def signal_events(self, company_id: str) -> list[SignalEvent]:
        """The changes of a company's signals, oldest first."""
        query = (
            select(signal_events)
            .join(signals, signals.c.id == signal_events.c.signal_id)
            .where(signals.c.company_id == company_id)
            .order_by(signal_events.c.at, signal_events.c.signal_id, signal_events.c.change)
        )
        with self._database.reading() as connection:
            return [
                SignalEvent(row["signal_id"], SignalChange(row["change"]), row["at"])
                for row in connection.execute(query).mappings()
            ]

    def save_report(self, report: CompanyReport) -> None:
        """Keep the report of a company in a run; earlier ones stay."""
        content = report.model_dump(mode="json")

        def add(connection: Connection) -> None:
            require_run(connection, report.run_id)
            newest = (
                select(reports.c.report)
                .where(reports.c.run_id == report.run_id, reports.c.company_id == report.company.id)
                .order_by(reports.c.id.desc())
                .limit(1)
            )
            if connection.scalars(newest).first() != content:
                kept = self._database.insert(reports).values(
                    run_id=report.run_id,
                    company_id=report.company.id,
                    domain=report.company.domain,
                    report=content,
                )
                number = connection.execute(kept.returning(reports.c.id)).scalar_one()
                list_report(self._database, connection, report, number)

        self._database.write(add)

    def report(self, run_id: str, company_id: str) -> CompanyReport | None:
        """A report, or None."""
        query = (
            select(reports.c.report)
            .where(reports.c.run_id == run_id, reports.c.company_id == company_id)
            .order_by(reports.c.id.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            found = connection.scalars(query).first()
        return CompanyReport.model_validate(found) if found else None

    def reports(self, run_id: str) -> list[CompanyReport]:
        """All reports of a run, by domain."""
        newest = select(func.max(reports.c.id)).where(reports.c.run_id == run_id).group_by(reports.c.company_id)
        query = select(reports.c.report).where(reports.c.id.in_(newest))
        with self._database.reading() as connection:
            found = [CompanyReport.model_validate(each) for each in connection.scalars(query)]
        return sorted(found, key=lambda report: (report.company.domain, report.company.id))
