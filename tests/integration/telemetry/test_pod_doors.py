"""The pods that read nothing: the migration of the store, and the results page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from credit_signals.children import end_child, free_port, start_child
from credit_signals.store.database import read_url

LATEST = "0004"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings with an empty store, of each kind in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        server = str(request.getfixturevalue("postgres_url"))
        url = server.removesuffix("/postgres") + "/doors"
        engine = create_engine(read_url(server), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS doors"))
            connection.execute(text("CREATE DATABASE doors"))
        engine.dispose()
    return {**os.environ, "CREDIT_SIGNALS_DATA_DIR": str(tmp_path), "CREDIT_SIGNALS_STORE_URL": url}


def migrating(environment: dict[str, str]) -> subprocess.Popen[str]:
    """A process that migrates."""
    command = [sys.executable, "-m", "credit_signals.cli", "migrate"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_migrations_at_once_take_turns(environment: dict[str, str]) -> None:
    """Of two Jobs that run at the same time one does the work, the other finds it done, and both succeed."""
    both = [migrating(environment) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    again = migrating(environment)
    assert again.communicate(timeout=120)[0] == f"schema {LATEST}: nothing to do\n"
    assert sorted(out for out, _ in said)[0] == f"schema (none) -> {LATEST}\n"


def test_a_later_schema_is_refused(environment: dict[str, str]) -> None:
    """A version of yesterday does not work on the tables of tomorrow; in JSON that, too, is one object."""
    assert migrating(environment).wait(120) == 0
    engine = create_engine(read_url(environment["CREDIT_SIGNALS_STORE_URL"]))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    refused = migrating({**environment, "CREDIT_SIGNALS_LOG_FORMAT": "json"})
    (line,) = refused.communicate(timeout=120)[1].splitlines()
    assert refused.returncode == 2
    assert "9999 of a later version" in json.loads(line)["message"]


def test_the_results_page_as_a_pod(tmp_path: Path) -> None:
    """It answers probes without a word in the log, writes requests without address and query, and ends at SIGTERM."""
    port = free_port()
    environment = {**os.environ, "CREDIT_SIGNALS_DATA_DIR": str(tmp_path), "CREDIT_SIGNALS_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "credit_signals.cli", "serve", "--port", str(port)]
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        child = start_child(command, env=environment, output=output)
    try:
        while _status(port, "/readyz") != 200:
            assert child.poll() is None, log.read_text()
            time.sleep(0.05)
        assert _status(port, "/healthz") == 200
        assert _status(port, "/companies/acme.example?token=hidden") == 404
    finally:
        end_child(child, 30)
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    requests = [line["message"] for line in lines if line["logger"] == "uvicorn.access"]
    assert requests == ["GET /companies/acme.example 404"]
    assert "127.0.0.1:" not in " ".join(requests)


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
