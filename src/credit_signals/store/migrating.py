"""Bringing the schema up to date."""

from __future__ import annotations

import sqlite3
import time

from credit_signals.errors import StoreUnavailable
from credit_signals.store.base import SchemaChange
from credit_signals.store.database import LOCK_SECONDS, Database
from credit_signals.store.revisions import newest_revision, revision_of


def migrate(database: Database) -> SchemaChange:
    """Run the migrations that the database lacks; processes that call it at once take turns.

    Raises StoreUnavailable, and StoreError for the schema of a later version.
    """
    if database.is_sqlite:
        _use_wal(database)
    with database.reading() as connection:
        present = revision_of(connection)
    if present == newest_revision():
        return SchemaChange(present, present)
    from credit_signals.store.upgrading import upgrade  # noqa: PLC0415  slow to load, seldom needed

    return upgrade(database, present)


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
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # without its kind: busy, or busy with what a crash left
        if last or code != sqlite3.SQLITE_BUSY:
            raise StoreUnavailable(f"{database.name} does not answer: {exc}") from exc
        return False
    finally:
        connection.close()
    return True
