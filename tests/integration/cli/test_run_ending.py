"""However `credit-signals run` ends, nothing that it started is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sample_web.server import Fault, SampleWeb

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A run in the middle of its crawl: a site that does not answer, a Redis and two workers."""
    (tmp_path / "sites" / "slow").mkdir(parents=True)
    (tmp_path / "sites" / "slow" / "index.html").write_text("<p>We make flour.")
    (tmp_path / "companies.csv").write_text("name,domain\nSlow,slow.example\n")
    endless = Fault("slow.example", "/", "slow", seconds=600)
    with SampleWeb(tmp_path / "sites", [endless], host_pattern="{name}.example") as web:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CREDIT_SIGNALS_")},
            "CREDIT_SIGNALS_DATA_DIR": str(tmp_path / "data"),
            "CREDIT_SIGNALS_CONNECT_TO": json.dumps(web.connect_to),
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "credit_signals.cli", "run", "--companies", tmp_path / "companies.csv"]
        process = subprocess.Popen(
            [*map(str, command), "--allow-private-network", "--workers", "2"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # a test run in the background of a shell ignores SIGINT, and children inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  one call, no lock
        )
        children = _wait_for_children(process, 3)
        _wait_for_workers(tmp_path / "data" / "logs")
        yield process, children
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _wait_for_children(process: subprocess.Popen[str], count: int) -> list[int]:
    deadline = time.monotonic() + 60
    while len(children := _children(process.pid)) < count:
        assert process.poll() is None, process.stdout and process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return children


def _wait_for_workers(logs: Path) -> None:
    deadline = time.monotonic() + 90
    while not all("worker ready" in log.read_text() for log in logs.glob("worker-*.log")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _wait_until_gone(children: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := [child for child in children if _alive(child)]:
        assert time.monotonic() < deadline, f"still alive: {left}"
        time.sleep(0.05)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_everything(
    running: tuple[subprocess.Popen[str], list[int]], told: signal.Signals
) -> None:
    """In the middle of a crawl the run ends within seconds, without a traceback, and leaves no child."""
    process, children = running
    process.send_signal(told)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in output
    assert "stopped; what was fetched and read is kept" in output
    _wait_until_gone(children, 1)


def test_a_killed_run_leaves_no_child(running: tuple[subprocess.Popen[str], list[int]]) -> None:
    """kill -9 ends the workers and the Redis too."""
    process, children = running
    process.kill()
    process.wait()
    _wait_until_gone(children, 15)
