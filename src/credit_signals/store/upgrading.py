"""Migrations that a database lacks, by Alembic."""

from __future__ import annotations

from functools import partial

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from credit_signals.errors import StoreError
from credit_signals.store.base import SchemaChange
from credit_signals.store.database import Database
from credit_signals.store.revisions import MIGRATIONS, newest_revision, revision_of

_LOCK_KEY = 0x6372656469740001  # any constant of our own


def upgrade(database: Database, present: str) -> SchemaChange:
    """Run what follows the revision `present` (empty: everything). Raises StoreUnavailable; see `migrate`."""
    config = migration_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present and present not in known:
        raise StoreError(
            f"{database.name} has the schema {present} of a later version; this one knows {newest_revision()}"
        )
    if not database.is_sqlite:
        return database.write(partial(_upgrade, config=config, lock=True))
    # Alembic copies a table that SQLite cannot alter; dropping the old one would delete the rows that refer to it.
    unchecked = Database(database.url.render_as_string(hide_password=False), foreign_keys=False)
    try:
        return unchecked.write(partial(_upgrade, config=config, lock=False))  # BEGIN IMMEDIATE is the lock
    finally:
        unchecked.close()


def _upgrade(connection: Connection, config: Config, lock: bool) -> SchemaChange:
    if lock:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    before = revision_of(connection)  # another process may have been first
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return SchemaChange(before, revision_of(connection))


def migration_config() -> Config:
    """Alembic's configuration, without a file. A `%` in the path is escaped for its parser."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
