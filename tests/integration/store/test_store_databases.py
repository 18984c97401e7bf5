"""What holds of real databases: migrations, many processes, sudden death, disks that refuse."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import store_examples as make
import store_writing
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, text

from credit_signals.domain import Wanted
from credit_signals.errors import StoreError, StoreUnavailable
from credit_signals.store import SqlStore
from credit_signals.store.database import Database
from credit_signals.store.revisions import newest_revision
from credit_signals.store.tables import metadata
from credit_signals.store.upgrading import migration_config

WRITER = Path(store_writing.__file__)


def migrated(url: str) -> SqlStore:
    """A store with its schema."""
    store = SqlStore(url)
    store.migrate()
    return store


def test_models_and_migrations_agree(sql_url: str) -> None:
    """The migrations make exactly the tables that the code knows."""
    migrated(sql_url).close()
    with Database(sql_url).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_looked_for() -> None:
    """A store is up to date when it has the newest revision: a new migration is run."""
    assert ScriptDirectory.from_config(migration_config()).get_current_head() == newest_revision()


def test_migrations_can_be_undone(sql_url: str) -> None:
    """Down to nothing and up again, with the rows that stand in tables of foreign keys."""
    migrated(sql_url).close()
    config = migration_config()

    def down(connection: object) -> None:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")

    Database(sql_url, foreign_keys=False).write(down)
    with Database(sql_url).reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() is None
    store = migrated(sql_url)
    assert store.latest_run() is None
    store.close()


def test_a_later_migration_keeps_the_rows(sql_url: str) -> None:
    """Migrating a database of the first version loses nothing, although SQLite may copy tables that others refer to."""
    config = migration_config()

    def first(connection: object) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    database = Database(sql_url, foreign_keys=False)
    database.write(first)
    moment = "2026-01-01 12:00:00.000000"
    escaped = make.report(gauge=7).model_dump_json().replace(":", r"\:")  # colons name bound values
    rows = {
        "runs": "'run-1', :m, '{}', 0",
        "sections": "'s', 'h', 'acme', 'u', 'news', 'text', '[]', 'Text.', '[]', 'en'",
        "site_records": "'run-1', 'acme', 'read', '', 1, 'en', :m, NULL, '[]', '[]'",
        "site_sections": "'run-1', 'acme', 0, 's'",
        "reports": f"1, 'run-1', 'acme', 'acme.example', '{escaped}'",
    }
    for table, values in rows.items():
        insert = text(f"INSERT INTO {table} VALUES ({values})".replace(":m", f"'{moment}'"))
        database.write(lambda connection, insert=insert: connection.execute(insert) and None)
    database.close()
    store = migrated(sql_url)
    record = store.site("run-1", "acme")
    assert record is not None
    assert [each.text for each in record.sections] == ["Text."]
    assert store.find_reports("run-1", Wanted(text="ACME."), 0, 9) == [make.report(gauge=7)]
    assert [each.band for each in store.overview("run-1").groups] == ["band 0"]
    store.close()


def test_processes_may_migrate_at_once(sql_url: str) -> None:
    """Several parts of the product start together on an empty database."""
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        stores = list(pool.map(_migrate, [sql_url] * 4))
    assert stores == [True] * 4


def _migrate(url: str) -> bool:
    store = migrated(url)
    store.start_run(make.run(), [make.company()], [])
    listed = store.companies("run-1")
    store.close()
    return listed == [make.company()]


def test_writers_do_not_hinder_each_other(sql_url: str) -> None:
    """Four processes write, half of it the same rows, without an error and without a row twice."""
    writers = [
        subprocess.Popen([sys.executable, WRITER, sql_url, f"w{number}", "20"], stdout=subprocess.PIPE)
        for number in range(4)
    ]
    output = [writer.communicate()[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    store = migrated(sql_url)
    counts = store.progress("run-1")
    sites = {line for lines in output for line in lines.decode().split()}
    assert len(sites) == counts.crawled == 4 * 10 + 10
    assert counts.tasks == counts.read == len(sites) * store_writing.FETCHES
    store.close()


def test_threads_share_a_store(sql_url: str) -> None:
    """A crawl writes from many threads of one process."""
    store = migrated(sql_url)
    store.start_run(make.run(), [], [])
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: store_writing.write_site(store, f"firm-{number % 20}"), range(40)))
    assert (store.progress("run-1").crawled, store.unread("run-1")) == (20, 0)
    store.close()


def test_a_plan_and_its_answer_may_cross(sql_url: str) -> None:
    """A prediction saved while another run plans the same task completes that run too."""
    store = migrated(sql_url)
    for run in ("run-1", "run-2"):
        store.start_run(make.run(run), [], [])
    tasks = [make.task(f"Text {number}.") for number in range(60)]
    store.plan_tasks("run-1", "acme", tasks, reread=False)
    start = threading.Barrier(2)

    def plan() -> None:
        start.wait()
        for task in tasks:
            store.plan_tasks("run-2", "acme", [task], reread=False)

    def answer() -> None:
        start.wait()
        for task in tasks:
            store.save_predictions([make.prediction(task)])

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(plan), pool.submit(answer)]:
            each.result()
    assert (store.unread("run-1"), store.unread("run-2")) == (0, 0)
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_opens_its_own_connections(sql_url: str) -> None:
    """A store that was used before a fork works in the child and still in the parent."""
    store = migrated(sql_url)
    store.start_run(make.run(), [make.company()], [])
    child = multiprocessing.get_context("fork").Process(target=lambda: store.save_site(make.site()))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert store.progress("run-1").crawled == 1
    store.close()


def test_a_store_can_be_used_after_close(sql_url: str) -> None:
    """Closing gives connections back; the next use opens new ones."""
    store = migrated(sql_url)
    store.close()
    assert store.latest_run() is None
    store.close()


@pytest.mark.parametrize("attempt", range(2))
def test_a_killed_writer_leaves_whole_records(tmp_path: Path, attempt: int) -> None:
    """After kill -9 in the middle of writing the file is sound, what was done is there, and a rerun completes it."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    writer = subprocess.Popen([sys.executable, WRITER, url, "w", "4000"], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    done = [writer.stdout.readline().decode().strip() for _ in range(random.randint(2, 40))]
    writer.send_signal(signal.SIGKILL)
    done += [line.decode().strip() for line in writer.stdout.readlines() if line.endswith(b"\n")]
    writer.wait()
    writer.stdout.close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    store = migrated(url)
    for owner in done:
        record = store.site("run-1", owner)
        assert record is not None
        assert len(record.sections) == len(store.predictions("run-1", owner)) == store_writing.FETCHES
    for number in range(len(done) + 2):
        store_writing.write_site(store, f"w-{number}" if number % 2 else f"shared-{number}")
    assert store.unread("run-1") == 0
    store.close()


def test_a_locked_file_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that waits too long for another process's lock says that the store is unavailable."""
    monkeypatch.setattr("credit_signals.store.database.LOCK_SECONDS", 0.05)
    store = migrated(f"sqlite:///{tmp_path / 'store.db'}")
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.start_run(make.run(), [], [])
    assert store.latest_run() is None
    holder.execute("ROLLBACK")
    holder.close()
    store.start_run(make.run(), [], [])
    store.close()


def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    """A file that is no database is refused, not overwritten."""
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqlStore(f"sqlite:///{path}").migrate()
    assert path.read_bytes().startswith(b"not a database")


def test_a_missing_schema_is_named(tmp_path: Path) -> None:
    """A store that was never migrated raises an error of ours."""
    with pytest.raises(StoreError, match="no such table"):
        SqlStore(f"sqlite:///{tmp_path / 'store.db'}").latest_run()


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """A path under a file cannot be opened."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        SqlStore(f"sqlite:///{tmp_path / 'file' / 'store.db'}").migrate()


def test_a_read_only_file_is_unavailable(tmp_path: Path) -> None:
    """A database that may only be read says so when written, and the file stays as it was."""
    migrated(f"sqlite:///{tmp_path / 'store.db'}").close()
    store = SqlStore(f"sqlite:///file:{tmp_path / 'store.db'}?mode=ro&uri=true")
    with pytest.raises(StoreUnavailable, match="readonly"):
        store.start_run(make.run(), [], [])
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_unavailable(small_disk: Path) -> None:
    """A full disk raises StoreUnavailable; what was saved before stays readable."""
    store = migrated(f"sqlite:///{small_disk / 'store.db'}")
    store.start_run(make.run(), [make.company()], [])
    sites = [make.site(owner=str(each), sections=(make.section("x" * 50_000, str(each)),)) for each in range(100)]
    with pytest.raises(StoreUnavailable, match="full"):
        list(map(store.save_site, sites))
    assert store.companies("run-1") == [make.company()]
    store.close()


def test_a_read_only_folder_is_unavailable(small_disk: Path) -> None:
    """A folder in which nothing can be written says so."""
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreUnavailable, match=r"unable to open|cannot be opened"):
        SqlStore(f"sqlite:///{small_disk / 'new' / 'store.db'}").migrate()
    with pytest.raises(StoreUnavailable, match="unable to open"):
        SqlStore(f"sqlite:///{small_disk / 'store.db'}").migrate()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """No password of the URL, wherever it stands, reaches the error or its whole trace."""
    store = SqlStore("postgres://user:s3cret%40x@127.0.0.1:1/database?connect_timeout=1&password=oth3r")
    with pytest.raises(StoreUnavailable, match=r"Postgres database database at 127\.0\.0\.1:1") as caught:
        store.migrate()
    shown = repr(store) + "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert "oth3r" not in shown
    assert "OperationalError" in shown


@pytest.mark.postgres
def test_a_restarted_server_is_reached_again(fresh_postgres: str) -> None:
    """Connections that the server has closed are replaced."""
    store = migrated(fresh_postgres)
    engine = create_engine(Database(fresh_postgres).url)
    with engine.begin() as connection:
        others = "WHERE pid <> pg_backend_pid() AND datname = 'postgres'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {others}"))
    engine.dispose()
    assert store.latest_run() is None
    store.close()


@pytest.mark.postgres
def test_a_deadlock_is_tried_again(fresh_postgres: str) -> None:
    """A transaction that Postgres ends to break a deadlock is repeated."""
    store = migrated(fresh_postgres)
    for name in ("a", "b"):
        store.start_run(make.run(name), [], [])
    database = Database(fresh_postgres)
    both = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    def update(first: str, second: str) -> None:
        def work(connection: object) -> None:
            tries.append(first)
            for position, name in enumerate((first, second)):
                connection.execute(text("UPDATE runs SET reread = reread + 1 WHERE id = :id"), {"id": name})  # type: ignore[attr-defined]
                if position == 0 and len(tries) <= 2:
                    both.wait()

        database.write(work)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(update, "a", "b"), pool.submit(update, "b", "a")]:
            each.result()
    assert len(tries) == 3
    database.close()
    store.close()


def test_counting_a_run_reads_one_index(tmp_path: Path) -> None:
    """`unread` never walks the tasks of other runs nor their rows: an index answers it."""
    store = migrated(f"sqlite:///{tmp_path / 'store.db'}")
    statements: list[tuple[str, object]] = []
    engine = store._database.engine()
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))
    store.unread("run-1")
    store.progress("run-1")
    counting = [each for each in statements if "run_tasks" in each[0]]
    with sqlite3.connect(tmp_path / "store.db") as connection:
        plans = [str(connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()) for sql, values in counting]
    connection.close()
    assert len(plans) == 2
    assert all("COVERING INDEX ix_run_tasks_run_id_state" in plan for plan in plans)
    store.close()
