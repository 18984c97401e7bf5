"""The command line on the sample web: real Redis, real workers, real reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.sample_web.server import SampleWeb, load_faults

SAMPLE_WEB = Path(__file__).resolve().parents[1] / "sample_web"


@dataclass(frozen=True)
class CommandLine:
    """Runs `credit-signals` with one data folder against one sample web."""

    data_dir: Path
    web: SampleWeb

    @property
    def environment(self) -> dict[str, str]:
        """Settings for a crawl of the sample web."""
        return {
            **os.environ,
            "CREDIT_SIGNALS_DATA_DIR": str(self.data_dir),
            "CREDIT_SIGNALS_CONNECT_TO": json.dumps(self.web.connect_to),
            "CREDIT_SIGNALS_MIN_DELAY": "0",
            "COLUMNS": "160",
        }

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run to the end; the output of a failure is shown."""
        command = [sys.executable, "-m", "credit_signals.cli", *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=280, check=False, cwd=self.data_dir
        )
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, companies: Path, *more: str) -> dict[str, Any]:
        """`credit-signals run`; the results."""
        results = self.data_dir / "results.json"
        self("run", "--companies", companies, "--json", results, "--allow-private-network", *more)
        loaded: dict[str, Any] = json.loads(results.read_text())
        return loaded


@pytest.fixture(scope="session")
def sample_web() -> Iterator[SampleWeb]:
    """The sample web on a free port."""
    with SampleWeb(SAMPLE_WEB / "sites", load_faults(SAMPLE_WEB / "faults.toml")) as web:
        yield web


@pytest.fixture(scope="session")
def command_line(sample_web: SampleWeb, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line with a fresh data folder."""
    return CommandLine(tmp_path_factory.mktemp("data"), sample_web)


@pytest.fixture(scope="session")
def results(command_line: CommandLine) -> dict[str, Any]:
    """The results of the first run on the whole sample web."""
    return command_line.run(SAMPLE_WEB / "companies.csv")


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """What a careful reader finds on the sample web, by domain."""
    listed = json.loads((SAMPLE_WEB / "truth.json").read_text())["companies"]
    return {company["domain"]: company for company in listed}
