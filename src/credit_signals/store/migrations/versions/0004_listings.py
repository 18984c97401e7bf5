"""The list of a run's companies, filled from the reports that are there."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

from credit_signals.store.column_types import AnyText

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NO_GAUGE = 1000
SOME = 500  # reports held at once

REPORTS = sa.table("reports", sa.column("id"), sa.column("run_id", AnyText()), sa.column("report", sa.JSON()))


def upgrade() -> None:
    """Apply."""
    table = op.create_table(
        "listings",
        sa.Column("run_id", AnyText(), nullable=False),
        sa.Column("company_id", AnyText(), nullable=False),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gauge", sa.Integer(), nullable=False),
        sa.Column("domain", AnyText(), nullable=False),
        sa.Column("band", AnyText(), nullable=False),
        sa.Column("status", AnyText(), nullable=False),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("words", AnyText(), nullable=False),
        sa.Column("codes", AnyText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_listings_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "company_id", name=op.f("pk_listings")),
    )
    _fill(op.get_bind(), table)
    op.create_index("ix_listings_place", "listings", ["run_id", "gauge", "domain", "company_id"])
    op.create_index("ix_listings_groups", "listings", ["run_id", "band", "status", "gauge", "signals"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("listings")


def _fill(connection: sa.Connection, table: sa.Table) -> None:
    """A line of each report, in their order: that of the newest stays."""
    made = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = made(table)
    values = {column.name: new.excluded[column.name] for column in table.columns if not column.primary_key}
    newest = new.on_conflict_do_update(index_elements=["run_id", "company_id"], set_=values)
    last = 0
    while True:
        query = sa.select(REPORTS).where(REPORTS.c.id > last).order_by(REPORTS.c.id).limit(SOME)
        rows = connection.execute(query).all()
        if not rows:
            return
        connection.execute(newest, [_line(number, run_id, report) for number, run_id, report in rows])
        last = rows[-1][0]


def _line(number: int, run_id: str, report: dict[str, Any]) -> dict[str, Any]:
    company, gauge = report["company"], report.get("gauge")
    codes = [each["code"] for each in report.get("signals", ()) if not each.get("withdrawn_at")]
    return {
        "run_id": run_id,
        "company_id": company["id"],
        "report_id": number,
        "gauge": gauge["value"] if gauge else NO_GAUGE,
        "domain": company["domain"],
        "band": gauge["band"] if gauge else "not judged",
        "status": report["status"],
        "signals": len(codes),
        "words": " ".join(f"{company['name']} {company['domain']}".casefold().split()),
        "codes": f" {' '.join(sorted(set(codes)))} ",
    }
