"""A Postgres server of the tests' own, without password; it keeps nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def postgres_folder() -> Path | None:
    """The folder of initdb and postgres, or None."""
    initdb = shutil.which("initdb")
    found = [Path(initdb).resolve().parent] if initdb else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


@contextmanager
def private_postgres(binaries: Path, address: str = "127.0.0.1", network: str = "") -> Iterator[str]:
    """Its URL, for the length of the block; `network` is whom it lets in, beside this machine's loopback."""
    user = "nobody" if os.geteuid() == 0 else None  # Postgres refuses to run as root
    # not pytest's own folder: other users cannot enter it
    with tempfile.TemporaryDirectory(prefix="test-postgres-") as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder) / "data"
        making = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([binaries / "initdb", *making], user=user, check=True, capture_output=True, cwd=folder)
        if network:
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {network} trust\n")
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        options = [f"listen_addresses={address}", f"port={port}", "fsync=off", f"unix_socket_directories={folder}"]
        command = [binaries / "postgres", "-D", data, *(part for option in options for part in ("-c", option))]
        log = Path(folder) / "log"
        with log.open("wb") as output:
            server = subprocess.Popen(command, user=user, stdout=output, stderr=output, cwd=folder)
        try:
            _wait_until_ready(binaries, server, (address, port), log)
            yield f"postgresql://postgres@{address}:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_ready(binaries: Path, server: subprocess.Popen[bytes], place: tuple[str, int], log: Path) -> None:
    deadline = time.monotonic() + 30
    ready = [binaries / "pg_isready", "-q", "-h", place[0], "-p", str(place[1])]
    while subprocess.run(ready, check=False).returncode != 0:
        assert server.poll() is None, f"Postgres did not start: {log.read_text()}"
        assert time.monotonic() < deadline, f"Postgres is not ready: {log.read_text()}"
        time.sleep(0.05)
