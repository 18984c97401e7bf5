"""Fixtures of the DAG tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from dag_platform import SAMPLE_WEB, STUB_MANIFEST, Platform
from tests.sample_web.server import SampleWeb, load_faults

from credit_signals import wiring
from credit_signals.settings import Settings


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything that DAG runs need, but for Airflow and readers."""
    folder = tmp_path_factory.mktemp("platform")
    manifest = folder / "scripted.toml"
    manifest.write_text(STUB_MANIFEST)
    with ExitStack() as stack:
        web = stack.enter_context(SampleWeb(SAMPLE_WEB / "sites", load_faults(SAMPLE_WEB / "faults.toml")))
        chosen = Settings(
            data_dir=folder / "data",
            reader=manifest,
            allow_private_network=True,
            connect_to=web.connect_to,
            min_delay=0.0,
            queue_idle_seconds=5.0,
        )
        chosen = stack.enter_context(wiring.with_redis(chosen))
        parts = stack.enter_context(wiring.opened(chosen))
        yield Platform(chosen, parts, folder)


@pytest.fixture
def no_airflow_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the developer's own Airflow do not reach the tests."""
    for name in os.environ:
        if name.startswith("AIRFLOW"):
            monkeypatch.delenv(name)
