"""The connection: URL, engine, transactions, and the errors of databases as our own."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import DataError as BadValue

from credit_signals.errors import ConfigurationError, StoreError, StoreUnavailable

T = TypeVar("T")
LOCK_SECONDS = 30
# libpq's: without them a server that vanishes (failover, dropped packets) holds a call for a quarter of an hour or more
POSTGRES_PATIENCE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",  # milliseconds
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
ATTEMPTS = 5
# Postgres: deadlock, serialization failure, and a row that another transaction deleted meanwhile.
_WORTH_REPEATING = {"40P01", "40001", "23503"}


def read_url(url: str) -> URL:
    """The URL with its driver. Raises ConfigurationError, without the URL: it may hold a password."""
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg"
    try:
        parsed = make_url(f"{scheme}{separator}{rest}")
    except (ArgumentError, ValueError):
        raise ConfigurationError("the store's URL cannot be read; it is like sqlite:////folder/store.db") from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(f"a store at {parsed.drivername}:// is not supported: only SQLite and Postgres are")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ConfigurationError("the store's SQLite URL names no file")
    return parsed


class Database:
    """Transactions on one database. Safe for threads and after a fork: each process has its own engine."""

    def __init__(self, url: str, foreign_keys: bool = True) -> None:
        self.url = read_url(url)
        self._foreign_keys = foreign_keys  # of SQLite; Postgres always checks
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.name = f"SQLite file {self.url.database}" if self.is_sqlite else _postgres_name(self.url)
        self._engine: Engine | None = None
        self._pid = 0
        self._making = threading.Lock()
        # SQLite has one writer at a time: threads that queue here do not wait in its polling loop.
        self._writing: threading.Lock | None = None

    def engine(self) -> Engine:
        """The engine of this process, made when first needed. Raises StoreUnavailable."""
        if self._pid != os.getpid():
            self._making = self._making if self._pid == 0 else threading.Lock()
            with self._making:
                if self._pid != os.getpid():
                    if self._engine is not None:
                        self._engine.dispose(close=False)  # the parent's connections stay the parent's
                    self._writing = threading.Lock() if self.is_sqlite else None
                    self._engine = self._make_engine()
                    self._pid = os.getpid()
        if self._engine is None:
            raise StoreUnavailable(f"{self.name} is closed")
        return self._engine

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        if self._engine is not None and self._pid == os.getpid():
            self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self.errors(), self.engine().connect() as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do work in one transaction; again where another transaction got in its way."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.errors(), self._write_turn(), self._immediate() as connection, connection.begin():
                    return work(connection)
            except StoreError as error:
                if attempt == ATTEMPTS or _sqlstate(error.__cause__) not in _WORTH_REPEATING:
                    raise
        raise AssertionError("unreachable")

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that knows `on_conflict_do_...`."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def add(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert a row; False, and nothing done, where its key is taken."""
        new = self.insert(table).values(dict(row)).on_conflict_do_nothing()
        return connection.execute(new.returning(*table.primary_key)).first() is not None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into StoreError and StoreUnavailable, without statement, values or password."""
        try:
            yield
        except (IntegrityError, BadValue, ProgrammingError) as exc:
            raise StoreError(f"{self.name} refused an operation: {self._reason(exc)}") from exc
        except SQLAlchemyError as exc:
            raise StoreUnavailable(f"{self.name} does not answer: {self._reason(exc)}") from exc
        except sqlite3.Error as exc:  # raised while a connection is prepared
            raise StoreUnavailable(f"{self.name} does not answer: {exc}") from exc
        except OSError as exc:
            raise StoreUnavailable(f"{self.name} cannot be opened: {exc.strerror}") from exc

    def _write_turn(self) -> AbstractContextManager[object]:
        self.engine()
        return self._writing or nullcontext()

    def _immediate(self) -> Connection:
        return self.engine().connect().execution_options(immediate=True)

    def _reason(self, exc: SQLAlchemyError) -> str:
        cause = exc.orig if isinstance(exc, DBAPIError) and exc.orig else exc
        lines = str(cause).strip().splitlines()
        first = lines[0] if lines else type(cause).__name__
        for secret in (self.url.password, self.url.query.get("password")):
            first = first.replace(str(secret), "***") if secret else first
        return first

    def _prepare_sqlite(self, connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {'ON' if self._foreign_keys else 'OFF'}")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    def _make_engine(self) -> Engine:
        if not self.is_sqlite:
            options = {**POSTGRES_PATIENCE, **self.url.query}
            return create_engine(self.url.set(query=options), pool_pre_ping=True, hide_parameters=True, max_overflow=20)
        path = self.url.database or ""
        if not path.startswith("file:"):  # an SQLite URI may ask for a file that must not be made
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self.url, hide_parameters=True, max_overflow=20, connect_args={"timeout": LOCK_SECONDS})
        event.listen(engine, "connect", self._prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine


def _postgres_name(url: URL) -> str:
    return f"Postgres database {url.database} at {url.host or 'local socket'}{f':{url.port}' if url.port else ''}"


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another wrote between.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
