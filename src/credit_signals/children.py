"""Child processes that never outlive their parent, even when it is killed (prctl(2), PR_SET_PDEATHSIG; Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start_child(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command that gets SIGTERM when the calling thread ends, however it ends.

    Call it from the main thread: Linux ties the signal to the thread that forked. `output` takes both stdout and
    stderr. Ctrl-C reaches only the parent, which ends its children in order.
    """
    parent = os.getpid()

    def bind_to_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before the call above
                os.kill(os.getpid(), signal.SIGTERM)

    return subprocess.Popen(  # noqa: S603  commands are the product's own
        [str(part) for part in command],
        env=dict(env) if env is not None else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=bind_to_parent,  # noqa: PLW1509  one prctl call: no lock is taken after the fork
    )


def end_child(child: subprocess.Popen[bytes], seconds: float = 10.0) -> int:
    """Ask a child to end; kill it after `seconds`. Its exit code."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
