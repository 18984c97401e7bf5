"""Proves that a reader can be opened and reads, in a child process: an abort in llama.cpp harms nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from credit_signals.domain import PageRole, Section, Sentence
from credit_signals.errors import ModelRefused, ReaderError
from credit_signals.inference.model_file import TRIAL_SECONDS
from credit_signals.inference.opening import open_reader

TEXT = "We make flour."


def prove_reader(manifest: Path, reader_id: str) -> None:
    """Open the reader of a manifest in a child process and let it read a sentence.

    Raises ModelRefused, with the child's last line, when it does not, or when the manifest makes a reader of another
    id.
    """
    command = [sys.executable, "-m", "credit_signals.inference.proving", str(manifest), reader_id]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False)  # noqa: S603  # our own module and no shell
    except subprocess.TimeoutExpired as exc:
        raise ModelRefused(f"{manifest}: the reader did not read a sentence within {TRIAL_SECONDS} s") from exc
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelRefused(f"{manifest}: reader {reader_id} does not work (trial ended with {done.returncode}): {last}")


def main() -> int:
    """Exit status 0 when the reader of the manifest and id on the command line reads, 1 when it is refused."""
    manifest, wanted = Path(sys.argv[1]), sys.argv[2]
    section = Section.build(
        company_id="trial",
        url="https://trial.invalid/",
        role=PageRole.OTHER,
        text=TEXT,
        sentences=(Sentence(number=1, start=0, end=len(TEXT)),),
    )
    try:
        reader = open_reader(manifest)
        if reader.id != wanted:
            raise ModelRefused(f"the manifest makes reader {reader.id} by now")
        reader.read([section])
        reader.close()
    except ReaderError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
