"""Alembic's entry: runs the migrations in the transaction that `migrate` opened."""

from __future__ import annotations

from alembic import context

from credit_signals.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    user_module_prefix="",  # our column types stand under their own names, as the template imports them
    render_as_batch=True,  # SQLite cannot alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
