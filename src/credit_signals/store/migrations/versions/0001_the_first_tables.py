"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credit_signals.store.column_types import AnyText, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "companies",
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("domain", AnyText(), nullable=False),
        sa.Column("company", sa.JSON(), nullable=False),
        sa.Column("listed_at", Moment(timezone=True), nullable=False),
        sa.Column("last_crawled_at", Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
    )
    with op.batch_alter_table("companies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_companies_domain"), ["domain"], unique=False)
        batch_op.create_index(batch_op.f("ix_companies_last_crawled_at"), ["last_crawled_at"], unique=False)

    op.create_table(
        "fetches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("url_key", AnyText(), nullable=False),
        sa.Column("status", AnyText(), nullable=False),
        sa.Column("fetched_at", Moment(timezone=True), nullable=False),
        sa.Column("archive_file", AnyText(), nullable=True),
        sa.Column("fetch", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetches")),
        sa.UniqueConstraint("run_id", "company_id", "url_key", name=op.f("uq_fetches_run_id_company_id_url_key")),
    )
    with op.batch_alter_table("fetches", schema=None) as batch_op:
        batch_op.create_index("ix_fetches_company_id_url_key", ["company_id", "url_key"], unique=False)

    op.create_table(
        "predictions",
        sa.Column("task_id", AnyText(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("content_hash", AnyText(), nullable=False),
        sa.Column("read_at", Moment(timezone=True), nullable=False),
        sa.Column("prediction", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "generation", name=op.f("pk_predictions")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_predictions_content_hash"), ["content_hash"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("started_at", Moment(timezone=True), nullable=False),
        sa.Column("budget", sa.JSON(), nullable=False),
        sa.Column("reread", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_runs_started_at"), ["started_at"], unique=False)

    op.create_table(
        "sections",
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("content_hash", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("url", AnyText(), nullable=False),
        sa.Column("role", AnyText(), nullable=False),
        sa.Column("kind", AnyText(), nullable=False),
        sa.Column("heading_path", sa.JSON(), nullable=False),
        sa.Column("text", AnyText(), nullable=False),
        sa.Column("sentences", sa.JSON(), nullable=False),
        sa.Column("language", AnyText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
    )
    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sections_content_hash"), ["content_hash"], unique=False)

    op.create_table(
        "rejections",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", AnyText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_rejections_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_rejections")),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("domain", AnyText(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_reports_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index("ix_reports_run_id_company_id", ["run_id", "company_id"], unique=False)

    op.create_table(
        "run_companies",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("domain", AnyText(), nullable=False),
        sa.Column("company", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_companies_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "company_id", name=op.f("pk_run_companies")),
    )
    op.create_table(
        "run_tasks",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("task_id", AnyText(), nullable=False),
        sa.Column("section_id", AnyText(), nullable=False),
        sa.Column("reader_id", AnyText(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("reused", sa.Integer(), nullable=False),
        sa.Column("needed_after", Moment(timezone=True), nullable=True),
        sa.Column("planned_at", Moment(timezone=True), nullable=False),
        sa.Column("queued_at", Moment(timezone=True), nullable=True),
        sa.Column("dead_reason", AnyText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_tasks_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "company_id", "task_id", name=op.f("pk_run_tasks")),
    )
    with op.batch_alter_table("run_tasks", schema=None) as batch_op:
        batch_op.create_index("ix_run_tasks_run_id_state", ["run_id", "state"], unique=False)
        batch_op.create_index("ix_run_tasks_task_id", ["task_id"], unique=False)

    op.create_table(
        "signals",
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("code", AnyText(), nullable=False),
        sa.Column("stance", AnyText(), nullable=False),
        sa.Column("subject", AnyText(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("section_id", AnyText(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("first_seen", Moment(timezone=True), nullable=False),
        sa.Column("last_seen", Moment(timezone=True), nullable=False),
        sa.Column("withdrawn_at", Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["section_id"], ["sections.id"], name=op.f("fk_signals_section_id_sections")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
    )
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signals_company_id"), ["company_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signals_section_id"), ["section_id"], unique=False)

    op.create_table(
        "site_records",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("status", AnyText(), nullable=False),
        sa.Column("reason", AnyText(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("language", AnyText(), nullable=False),
        sa.Column("crawled_at", Moment(timezone=True), nullable=False),
        sa.Column("graph", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_site_records_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "company_id", name=op.f("pk_site_records")),
    )
    with op.batch_alter_table("site_records", schema=None) as batch_op:
        batch_op.create_index("ix_site_records_company_id", ["company_id"], unique=False)

    op.create_table(
        "site_sections",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section_id", AnyText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_site_sections_run_id_runs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["section_id"], ["sections.id"], name=op.f("fk_site_sections_section_id_sections")),
        sa.PrimaryKeyConstraint("run_id", "company_id", "position", name=op.f("pk_site_sections")),
    )
    with op.batch_alter_table("site_sections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_sections_section_id"), ["section_id"], unique=False)

    op.create_table(
        "signal_events",
        sa.Column("signal_id", AnyText(), nullable=False),
        sa.Column("at", Moment(timezone=True), nullable=False),
        sa.Column("change", AnyText(), nullable=False),
        sa.ForeignKeyConstraint(["signal_id"], ["signals.id"], name=op.f("fk_signal_events_signal_id_signals")),
        sa.PrimaryKeyConstraint("signal_id", "at", "change", name=op.f("pk_signal_events")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("signal_events")
    with op.batch_alter_table("site_sections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_site_sections_section_id"))

    op.drop_table("site_sections")
    with op.batch_alter_table("site_records", schema=None) as batch_op:
        batch_op.drop_index("ix_site_records_company_id")

    op.drop_table("site_records")
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signals_section_id"))
        batch_op.drop_index(batch_op.f("ix_signals_company_id"))

    op.drop_table("signals")
    with op.batch_alter_table("run_tasks", schema=None) as batch_op:
        batch_op.drop_index("ix_run_tasks_task_id")
        batch_op.drop_index("ix_run_tasks_run_id_state")

    op.drop_table("run_tasks")
    op.drop_table("run_companies")
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index("ix_reports_run_id_company_id")

    op.drop_table("reports")
    op.drop_table("rejections")
    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sections_content_hash"))

    op.drop_table("sections")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_started_at"))

    op.drop_table("runs")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_predictions_content_hash"))

    op.drop_table("predictions")
    with op.batch_alter_table("fetches", schema=None) as batch_op:
        batch_op.drop_index("ix_fetches_company_id_url_key")

    op.drop_table("fetches")
    with op.batch_alter_table("companies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_companies_last_crawled_at"))
        batch_op.drop_index(batch_op.f("ix_companies_domain"))

    op.drop_table("companies")
