"""Private servers for the planning benchmarks: a Redis and a Postgres of their own, and their processor time."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from credit_signals import wiring
from credit_signals.children import end_child, free_port, start_child
from credit_signals.domain import Company
from credit_signals.settings import Settings

TICKS = os.sysconf("SC_CLK_TCK")

Figures = dict[str, list[float]]  # by name: one value of each repetition


@dataclass(frozen=True)
class World:
    """Where one repetition works."""

    settings: Settings
    companies: list[Company]
    parts: wiring.Parts
    postgres: int
    url: str


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of its children so far (proc(5): utime, stime; of ended children too)."""
    own = 0.0
    for each in _family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile; its parent has counted it
            continue
        own += sum(int(field) for field in fields[11:15]) / TICKS
    return own


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        direct = [int(child) for child in children.read_text(encoding="ascii").split()]
    except OSError:
        return []
    return [pid, *(each for child in direct for each in _family(child))]


def _postgres_folder() -> Path:
    initdb = shutil.which("initdb")
    found = [Path(initdb).resolve().parent] if initdb else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folder = next((each for each in found if (each / "postgres").exists() and (each / "initdb").exists()), None)
    if folder is None:
        raise SystemExit("no Postgres binaries (initdb, postgres): install Postgres")
    return folder


@contextmanager
def private_postgres() -> Iterator[tuple[str, int]]:
    """URL and process id of a Postgres that flushes each commit to disk, as a real one does."""
    binaries = _postgres_folder()
    user = "nobody" if os.geteuid() == 0 else None  # Postgres refuses to run as root
    with tempfile.TemporaryDirectory(prefix="plan-postgres-") as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder) / "data"
        making = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([binaries / "initdb", *making], user=user, check=True, capture_output=True, cwd=folder)
        port = free_port()
        options = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
        command = [binaries / "postgres", "-D", data, *(part for option in options for part in ("-c", option))]
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(command, user=user, stdout=log, stderr=log, cwd=folder)
        try:
            ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False).returncode != 0:
                if server.poll() is not None:
                    raise SystemExit("Postgres did not start")
                time.sleep(0.05)
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres", server.pid
        finally:
            end_child(server, 30)


@contextmanager
def sample_sites(folder: Path, pattern: str = "{name}") -> Iterator[tuple[list[tuple[str, str]], str]]:
    """A web server of a folder's sites in a process of its own: (company, host) of each, and `connect_to` as JSON."""
    server = Path(__file__).resolve().parents[1] / "tests/sample_web/server.py"
    hosts = [(each.name, pattern.format(name=each.name)) for each in sorted(folder.iterdir()) if each.is_dir()]
    child = subprocess.Popen(
        ["python3", str(server), "--sites", str(folder), "--host-pattern", pattern, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield hosts, child.stdout.readline().strip()
    finally:
        end_child(child)


__all__ = ["Figures", "World", "cpu_seconds", "end_child", "private_postgres", "sample_sites", "start_child"]
