"""Fixtures of generative training; what needs torch is skipped where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tuning.causal.toy_reader import make_tiny_base, write_toy_rows


@pytest.fixture(scope="session")
def toy_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of the toy task."""
    path = tmp_path_factory.mktemp("toy") / "rows.jsonl"
    write_toy_rows(path)
    return path


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Llama model and its tokenizer."""
    pytest.importorskip("torch", reason="training needs the extra `tune`")
    folder = tmp_path_factory.mktemp("base")
    make_tiny_base(folder)
    return folder
