"""A platform for DAG runs: store, Redis, sample web, and a scripted reader in a thread; and how to reach Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from dag_process import airflow_environment

from credit_signals import pipeline, wiring
from credit_signals.inference.manifest import reader_id
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.settings import Settings

SAMPLE_WEB = Path(__file__).resolve().parents[1] / "sample_web"
STUB_MANIFEST = """kind = "encoder"
version = "scripted"
model = {{ file = "none.gguf", sha256 = "{0}" }}
heads = {{ file = "none.npz", sha256 = "{0}" }}
""".format("0" * 64)


@dataclass(frozen=True)
class Platform:
    """Open parts, and the settings with which other processes reach the same parts."""

    settings: Settings
    parts: wiring.Parts
    folder: Path

    def companies(self, *names: str) -> str:
        """The path of a company list with these sites of the sample web."""
        head, *lines = (SAMPLE_WEB / "companies.csv").read_text().splitlines()
        path = self.folder / f"{'-'.join(names) or 'all'}.csv"
        path.write_text("\n".join([head, *(line for line in lines if line.startswith(names))]) + "\n")
        return str(path)

    @contextmanager
    def reader(self) -> Iterator[None]:
        """A worker that answers for as long as the block lasts."""
        options = pipeline.WorkOptions(wait_seconds=0.1)
        shelf = pipeline.ReaderShelf.of(
            ScriptedReader({"insolvency": "insolvency"}).known_as(reader_id(self.settings.reader))
        )
        with wiring.opened(self.settings) as parts:
            thread = Thread(target=pipeline.work, args=(parts.queue, shelf, parts.store, options))
            thread.start()
            try:
                yield
            finally:
                options.stop.set()
                thread.join()

    def dag_process(self, home: Path, *arguments: str) -> Any:
        """The answer of `dag_process.py`."""
        environment = {**airflow_environment(home), **self.settings.as_environment()}
        return run_dag_process(environment, *arguments)


def run_dag_process(environment: dict[str, str], *arguments: str, seconds: float = 240) -> Any:
    """The answer of `dag_process.py`; its output is shown when it fails."""
    command = [sys.executable, str(Path(__file__).with_name("dag_process.py")), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    print(done.stdout)
    return json.loads(done.stdout.rsplit("\nANSWER\n", 1)[1])
