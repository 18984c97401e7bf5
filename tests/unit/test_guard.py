"""The guard of the demo's processes leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUARD = "import sys; from demo import guard; guard.GRACE_SECONDS = 0.3; sys.exit(guard.main(sys.argv[1:]))"
STUBBORN = (
    "import os, signal, sys, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"
)
# a shell that starts a process in a session of its own, which ignores SIGTERM, and then waits or ends
COMMAND = f"setsid {sys.executable} -c '{STUBBORN}' & "


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted by prctl(2), Linux only")
@pytest.mark.parametrize(("then", "told", "code"), [("sleep 600", signal.SIGTERM, 143), ("sleep 0.5; exit 7", None, 7)])
def test_stubborn_orphans_end_with_the_guard(then: str, told: signal.Signals | None, code: int) -> None:
    """Whether the guard is told to end or its command ends: what left the process group goes too."""
    command = [sys.executable, "-c", GUARD, "sh", "-c", COMMAND + then]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as guard:
        assert guard.stdout is not None
        orphan = int(guard.stdout.readline())
        assert _runs(orphan)
        if told:
            os.kill(guard.pid, told)
        assert guard.wait(20) == code
    deadline = time.monotonic() + 5
    while _runs(orphan):
        assert time.monotonic() < deadline
        time.sleep(0.02)
