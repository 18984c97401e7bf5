"""Loads a model file and ends: run as a child process, so that an abort in llama.cpp harms nobody else."""

from __future__ import annotations

import sys
from pathlib import Path

from credit_signals.errors import ModelRefused
from credit_signals.inference.llama import Model


def main() -> int:
    """Exit status 0 when the file named on the command line loads, 1 when it is refused."""
    try:
        Model(Path(sys.argv[1])).close()
    except ModelRefused as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
