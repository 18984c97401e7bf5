"""Runs a command and sees to it that nothing of it is left: `python guard.py COMMAND...`

Airflow's processes start further ones, some in process groups of their own, which would live on when their parent is
killed. The guard is a "subreaper" (prctl(2), Linux): such orphans become its children, so it finds and ends them all.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from credit_signals.children import start_child

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5.0
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def descendants() -> list[int]:
    """Every living process below this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            except OSError:  # it ended meanwhile
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found - {os.getpid()})


def end_all(grace_seconds: float) -> None:
    """Ask every descendant to end, then kill what is left."""
    deadline = time.monotonic() + grace_seconds
    _signal_all(signal.SIGTERM)
    while descendants():
        if time.monotonic() > deadline:
            _signal_all(signal.SIGKILL)
        _reap()
        time.sleep(0.05)


def _signal_all(number: signal.Signals) -> None:
    for pid in descendants():
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def main(command: list[str]) -> int:
    """Run the command to its end, or until this process is told to end; the exit code."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for ending in ENDING:
        signal.signal(ending, stop)
    try:
        return start_child(command).wait()
    finally:
        for ending in ENDING:
            signal.signal(ending, signal.SIG_IGN)
        end_all(GRACE_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
