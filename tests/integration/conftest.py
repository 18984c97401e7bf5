"""What integration tests share: a private Postgres."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def _postgres_folder() -> Path | None:
    """The folder of initdb and postgres, or None."""
    initdb = shutil.which("initdb")
    found = [Path(initdb).resolve().parent] if initdb else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server of this session on loopback, without password; skips where none is installed."""
    binaries = _postgres_folder()
    if binaries is None:
        pytest.skip("no Postgres binaries (initdb, postgres) on this machine")
    user = "nobody" if os.geteuid() == 0 else None  # Postgres refuses to run as root
    # not pytest's own folder: other users cannot enter it
    with tempfile.TemporaryDirectory(prefix="test-postgres-") as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder) / "data"
        making = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([binaries / "initdb", *making], user=user, check=True, capture_output=True, cwd=folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = ["listen_addresses=127.0.0.1", f"port={port}", "fsync=off", f"unix_socket_directories={folder}"]
        command = [binaries / "postgres", "-D", data, *(part for option in options for part in ("-c", option))]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            server = subprocess.Popen(command, user=user, stdout=output, stderr=output, cwd=folder)
        try:
            _wait_until_ready(binaries, server, port, log)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_ready(binaries: Path, server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready, check=False).returncode != 0:
        assert server.poll() is None, f"Postgres did not start: {log.read_text()}"
        assert time.monotonic() < deadline, f"Postgres is not ready: {log.read_text()}"
        time.sleep(0.05)
