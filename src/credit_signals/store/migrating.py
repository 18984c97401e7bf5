"""Bringing the schema up to date."""

from __future__ import annotations

import sqlite3
import time
from functools import partial
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from credit_signals.errors import StoreError, StoreUnavailable
from credit_signals.store.base import SchemaChange
from credit_signals.store.database import LOCK_SECONDS, Database

_LOCK_KEY = 0x6372656469740001  # any constant of our own


def migrate(database: Database) -> SchemaChange:
    """Run the migrations that the database lacks; processes that call it at once take turns.

    Raises StoreUnavailable, and StoreError for the schema of a later version.
    """
    config = migration_config()
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head() or ""
    if database.is_sqlite:
        _use_wal(database)
    with database.reading() as connection:
        present = _revision(connection)
    if present == head:
        return SchemaChange(head, head)
    if present and present not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(f"{database.name} has the schema {present} of a later version; this one knows {head}")
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
    before = _revision(connection)  # another process may have been first
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return SchemaChange(before, _revision(connection))


def _revision(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def migration_config() -> Config:
    """Alembic's configuration, without a file. A `%` in the path is escaped for its parser."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _use_wal(database: Database) -> None:
    """Set the journal mode, which the file remembers. SQLite does not wait for its lock here: we do."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not _switched(database, time.monotonic() > deadline):
        time.sleep(0.05)


def _switched(database: Database, last: bool) -> bool:
    with database.errors():
        connection = database.engine().raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    except sqlite3.DatabaseError as exc:
        if last or getattr(exc, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise StoreUnavailable(f"{database.name} does not answer: {exc}") from exc
        return False
    finally:
        connection.close()
    return True
