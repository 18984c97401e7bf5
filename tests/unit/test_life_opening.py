"""The door through which an orchestrator opens a reader's life."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit_signals import steps
from credit_signals.errors import ConfigurationError


@pytest.mark.parametrize("run_id", ["..", ".", "", "../other", "/elsewhere"])
def test_a_run_works_in_its_own_folder(run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that leads out of the folder of lives is refused before anything is written."""
    monkeypatch.setenv("CREDIT_SIGNALS_DATA_DIR", str(tmp_path / "data"))
    with pytest.raises(ConfigurationError, match="names no folder"):
        steps.open_life({}, run_id)
    assert not (tmp_path / "data").exists()
