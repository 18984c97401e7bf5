"""Model files are checked before llama.cpp sees them: a damaged one can abort the process or load without a word.

The SHA-256 is compared first. Then, once per file and llama.cpp version, a child process loads the file, so that an
abort ends the child and not the worker; a stamp in a folder of the user remembers that it went well.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from credit_signals.errors import ModelRefused

logger = logging.getLogger(__name__)
TRIAL_SECONDS = 300


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, sha256: str) -> None:
    """Raise ModelRefused unless the file at `path` has this SHA-256 (hexadecimal)."""
    try:
        found = file_hash(path)
    except OSError as exc:
        raise ModelRefused(f"{path}: the file cannot be read: {exc.strerror}") from exc
    if found != sha256.lower():
        raise ModelRefused(f"{path}: SHA-256 is {found}, expected {sha256}: damaged, or not the manifest's file")


def check_model(path: Path, sha256: str) -> None:
    """Check the SHA-256 and that llama.cpp can load the file. Raises ModelRefused."""
    check_file(path, sha256)
    stamp = _stamp(sha256)
    if stamp.exists():
        return
    try_loading(path)
    try:
        stamp.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp.touch()
    except OSError as exc:  # a read-only disk only costs another trial next time
        logger.info("no stamp for %s: %s", path.name, exc.strerror)


def try_loading(path: Path) -> None:
    """Load the file in a child process. Raises ModelRefused."""
    command = [sys.executable, "-m", "credit_signals.inference.trial", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TRIAL_SECONDS, check=False)  # noqa: S603  # our own module and no shell
    except subprocess.TimeoutExpired as exc:
        raise ModelRefused(f"{path}: llama.cpp did not load it within {TRIAL_SECONDS} s") from exc
    if done.returncode:
        raise ModelRefused(f"{path}: llama.cpp cannot load it (trial ended with status {done.returncode})")


def _stamp(sha256: str) -> Path:
    try:
        version = importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError as exc:
        raise ModelRefused("llama-cpp-python is not installed here: no model can be loaded") from exc
    folder = Path(tempfile.gettempdir()) / f"credit-signals-{os.getuid()}"
    return folder / f"{sha256.lower()}-{version}.loads"
