"""The tables. A change here needs a migration; a test compares the two.

Ids are content hashes. `url_key` is the hash of a URL: Postgres cannot index a URL of several kilobytes.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

from credit_signals.store.column_types import AnyText, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


RowNumber = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by INTEGER keys only


class TaskState(IntEnum):
    """Where a planned task stands."""

    WAITING = 0
    READ = 1
    DEAD = 2


runs = Table(
    "runs",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("started_at", Moment, nullable=False, index=True),
    Column("budget", JSON, nullable=False),
    Column("reread", Integer, nullable=False),
    Column("reader_id", AnyText, nullable=False, server_default=""),
)

companies = Table(  # as last listed
    "companies",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("domain", AnyText, nullable=False, index=True),
    Column("company", JSON, nullable=False),
    Column("listed_at", Moment, nullable=False),
    Column("last_crawled_at", Moment, index=True),
)

run_companies = Table(  # as listed for the run
    "run_companies",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", AnyText, primary_key=True),
    Column("domain", AnyText, nullable=False),
    Column("company", JSON, nullable=False),
)

rejections = Table(
    "rejections",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("reason", AnyText, nullable=False),
)

fetches = Table(  # not tied to its run: an archived response outlives it while pages answer "not modified"
    "fetches",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("run_id", AnyText, nullable=False),
    Column("company_id", AnyText, nullable=False),
    Column("url_key", AnyText, nullable=False),
    Column("status", AnyText, nullable=False),
    Column("fetched_at", Moment, nullable=False),
    Column("archive_file", AnyText),
    Column("fetch", JSON, nullable=False),
    UniqueConstraint("run_id", "company_id", "url_key"),
    Index("ix_fetches_company_id_url_key", "company_id", "url_key"),
)

sections = Table(
    "sections",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("content_hash", AnyText, nullable=False, index=True),
    Column("company_id", AnyText, nullable=False),
    Column("url", AnyText, nullable=False),
    Column("role", AnyText, nullable=False),
    Column("kind", AnyText, nullable=False),
    Column("heading_path", JSON, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("sentences", JSON, nullable=False),  # [[number, start, end], ...]
    Column("language", AnyText, nullable=False),
    Column("published", AnyText, nullable=False, server_default=""),
)

site_records = Table(
    "site_records",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", AnyText, primary_key=True),
    Column("status", AnyText, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("language", AnyText, nullable=False),
    Column("crawled_at", Moment, nullable=False),
    Column("graph", JSON(none_as_null=True)),
    Column("facts", JSON, nullable=False),
    Column("dropped", JSON, nullable=False),
    Index("ix_site_records_company_id", "company_id"),
)

site_sections = Table(
    "site_sections",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", AnyText, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("section_id", AnyText, ForeignKey("sections.id"), nullable=False, index=True),
)

run_tasks = Table(
    "run_tasks",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", AnyText, primary_key=True),
    Column("task_id", AnyText, primary_key=True),
    Column("section_id", AnyText, nullable=False),
    Column("reader_id", AnyText, nullable=False),
    Column("state", Integer, nullable=False),
    Column("reused", Integer, nullable=False),  # 1: answered before it was planned
    Column("needed_after", Moment),  # only a prediction from this moment on counts
    Column("planned_at", Moment, nullable=False),
    Column("queued_at", Moment),
    Column("dead_reason", AnyText, nullable=False),
    Index("ix_run_tasks_run_id_state", "run_id", "state"),
    Index("ix_run_tasks_task_id", "task_id"),
)

predictions = Table(
    "predictions",
    metadata,
    Column("task_id", AnyText, primary_key=True),
    Column("generation", Integer, primary_key=True),  # 1, and one more with each reread
    Column("content_hash", AnyText, nullable=False, index=True),
    Column("read_at", Moment, nullable=False),
    Column("prediction", JSON, nullable=False),
)

signals = Table(
    "signals",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("company_id", AnyText, nullable=False, index=True),
    Column("code", AnyText, nullable=False),
    Column("stance", AnyText, nullable=False),
    Column("subject", AnyText, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("section_id", AnyText, ForeignKey("sections.id"), nullable=False, index=True),
    Column("evidence", JSON, nullable=False),
    Column("stated_on", AnyText, nullable=False, server_default=""),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("withdrawn_at", Moment),
)

signal_events = Table(
    "signal_events",
    metadata,
    Column("signal_id", AnyText, ForeignKey("signals.id"), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("change", AnyText, primary_key=True),
)

reports = Table(
    "reports",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("company_id", AnyText, nullable=False),
    Column("domain", AnyText, nullable=False),
    Column("report", JSON, nullable=False),
    Index("ix_reports_run_id_company_id", "run_id", "company_id"),
)

listings = Table(  # one line per run and company: what its newest report is listed, sought and counted by
    "listings",
    metadata,
    Column("run_id", AnyText, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("company_id", AnyText, primary_key=True),
    Column("report_id", RowNumber, nullable=False),
    Column("gauge", Integer, nullable=False),  # 1000: none
    Column("domain", AnyText, nullable=False),
    Column("band", AnyText, nullable=False),
    Column("status", AnyText, nullable=False),
    Column("signals", Integer, nullable=False),
    Column("words", AnyText, nullable=False),
    Column("codes", AnyText, nullable=False),
    Index("ix_listings_place", "run_id", "gauge", "domain", "company_id"),
    Index("ix_listings_groups", "run_id", "band", "status", "gauge", "signals"),  # all that counting needs
)

readers = Table(
    "readers",
    metadata,
    Column("id", AnyText, primary_key=True),
    Column("registered_at", Moment, nullable=False),
    Column("reader", JSON, nullable=False),
)

promotions = Table(  # only ever added to; the numbers have no gaps, so two processes cannot both write the next one
    "promotions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", AnyText, nullable=False, unique=True),
    Column("promotion", JSON, nullable=False),
)
