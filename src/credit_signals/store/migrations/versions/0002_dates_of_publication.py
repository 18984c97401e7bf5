"""Dates of publication."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from credit_signals.store.column_types import AnyText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("sections") as batch_op:
        batch_op.add_column(sa.Column("published", AnyText(), nullable=False, server_default=""))
    with op.batch_alter_table("signals") as batch_op:
        batch_op.add_column(sa.Column("stated_on", AnyText(), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("signals") as batch_op:
        batch_op.drop_column("stated_on")
    with op.batch_alter_table("sections") as batch_op:
        batch_op.drop_column("published")
