"""Every store in turn: in memory, SQLite, Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from credit_signals.store import MemoryStore, SqlStore
from credit_signals.store.base import ResultsStore
from credit_signals.store.database import read_url


@pytest.fixture
def fresh_postgres(postgres_url: str) -> str:
    """The URL of an empty Postgres database."""
    engine = create_engine(read_url(postgres_url))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("fresh_postgres"))


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResultsStore]:
    """An empty store, of each kind in turn."""
    made: ResultsStore
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "sqlite":
        made = SqlStore(f"sqlite:///{tmp_path / 'new' / 'store.db'}")
    else:
        made = SqlStore(request.getfixturevalue("fresh_postgres"))
    made.migrate()
    yield made
    made.close()
