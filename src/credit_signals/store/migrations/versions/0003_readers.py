"""Registered readers, promotions, and the reader of a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credit_signals.store.column_types import AnyText, Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "readers",
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("registered_at", Moment(timezone=True), nullable=False),
        sa.Column("reader", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readers")),
    )
    op.create_table(
        "promotions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", AnyText(), nullable=False),
        sa.Column("promotion", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_promotions")),
        sa.UniqueConstraint("id", name=op.f("uq_promotions_id")),
    )
    with op.batch_alter_table("runs") as batch_op:
        batch_op.add_column(sa.Column("reader_id", AnyText(), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("runs") as batch_op:
        batch_op.drop_column("reader_id")
    op.drop_table("promotions")
    op.drop_table("readers")
