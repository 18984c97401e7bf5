"""Models shared by the tests of a session."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from reader_samples import ROOT, SHIPPED, write_generative_manifest, write_small_encoder

from credit_signals.inference.base import Reader
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.opening import open_reader


@pytest.fixture(scope="session")
def encoder() -> Iterator[Encoder]:
    """The shipped encoder."""
    made = Encoder(SHIPPED)
    yield made
    made.close()


@pytest.fixture(scope="session")
def encoder_manifest(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of a small encoder reader."""
    return write_small_encoder(tmp_path_factory.mktemp("encoder"), encoder)


@pytest.fixture(scope="session")
def encoder_reader(encoder_manifest: Path) -> Iterator[Reader]:
    """The reader of that manifest."""
    made = open_reader(encoder_manifest)
    yield made
    made.close()


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model with random weights."""
    pytest.importorskip("gguf", reason="making a model needs the package gguf")
    path = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    script = ROOT / "workers/section_reader/make_tiny_llama.py"
    subprocess.run([sys.executable, str(script), "tiny", str(path)], check=True, capture_output=True)
    return path


@pytest.fixture(scope="session")
def generative_reader(tiny_llama: Path) -> Iterator[Reader]:
    """The generative reader on that model."""
    made = open_reader(write_generative_manifest(tiny_llama.parent, tiny_llama))
    yield made
    made.close()
