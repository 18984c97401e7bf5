"""Fixtures of the verbs' tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World(tmp_path)
