"""Doors that many processes pass: each loads the libraries of its own work, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credit_signals.store import SqlStore

CRAWLING = {"httpx", "httpcore", "trafilatura", "lxml", "dateparser", "tldextract", "networkx", "warcio"}
SHOWING = {"jinja2", "starlette", "uvicorn", "typer", "rich", "pygments"}
OTHERS = {"alembic", "mako", "kubernetes", "simpy", "pyarrow", "scipy", "sklearn", "torch", "airflow"}
WORKER = """
import workers.section_reader.__main__
from credit_signals import settings, wiring
from credit_signals.cli.working import run_worker
from credit_signals.inference.opening import open_reader
from credit_signals.pipeline import work
from credit_signals.telemetry.worker import WorkerTelemetry
chosen = settings.load()
wiring.open_store(chosen).close()
WorkerTelemetry(chosen.stall_seconds).served(0)
"""
TASK = """
from credit_signals import pipeline, settings, steps, wiring
store = wiring.open_store(settings.load())
pipeline.settle, pipeline.sweep_unqueued, pipeline.open_run
store.close()
"""


@pytest.mark.parametrize(
    ("door", "strangers"),
    [
        pytest.param(WORKER, CRAWLING | SHOWING | OTHERS, id="worker"),
        pytest.param(TASK, CRAWLING | SHOWING | OTHERS | {"numpy", "prometheus_client"}, id="task"),
        pytest.param(
            "import credit_signals.pipeline", CRAWLING | SHOWING | OTHERS | {"redis", "sqlalchemy"}, id="verbs"
        ),
    ],
)
def test_a_door_loads_only_its_own_libraries(door: str, strangers: set[str], tmp_path: Path) -> None:
    """A worker or task starts in little time and memory: on a store that is up to date it loads no stranger."""
    store = SqlStore(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    store.close()
    code = f"{door}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "CREDIT_SIGNALS_DATA_DIR": str(tmp_path), "CREDIT_SIGNALS_STORE_URL": ""}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert strangers & set(done.stdout.split()) == set()


def test_the_pipeline_gives_each_verb_that_it_names() -> None:
    """Verbs are loaded when asked for: none of those named is missing, and no other is made up."""
    from credit_signals import pipeline

    assert all(getattr(pipeline, name) is not None for name in pipeline.__all__)
    assert set(pipeline.__all__) == {name for names in pipeline._NAMES_IN.values() for name in names}
    with pytest.raises(AttributeError, match="no attribute unknown"):
        _ = pipeline.unknown  # type: ignore[attr-defined]  # which is what is tested
