"""Which schema a database has and which one this code needs: without Alembic, which only a change of schema loads."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def newest_revision() -> str:
    """The revision that this version of the code needs: migrations are named by their revision and a word."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str:
    """The revision that Alembic noted in a database; empty: none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
