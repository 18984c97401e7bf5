"""From a manifest to a reader."""

from __future__ import annotations

from pathlib import Path

from credit_signals.inference.base import Reader
from credit_signals.inference.encoder_reader import EncoderReader
from credit_signals.inference.generative_reader import GenerativeReader
from credit_signals.inference.manifest import load_manifest


def open_reader(manifest_path: Path) -> Reader:
    """The reader that the manifest describes, checked and loaded. Raises ModelRefused naming the file."""
    manifest = load_manifest(manifest_path)
    return EncoderReader(manifest) if manifest.kind == "encoder" else GenerativeReader(manifest)
