"""From a manifest to a reader."""

from __future__ import annotations

from pathlib import Path

from credit_signals.errors import ModelRefused
from credit_signals.inference.base import Reader
from credit_signals.inference.cascade import CascadeReader
from credit_signals.inference.encoder_reader import EncoderReader
from credit_signals.inference.generative_reader import GenerativeReader
from credit_signals.inference.manifest import CascadeManifest, identify_cascade, load_any_manifest, load_manifest


def open_reader(manifest_path: Path) -> Reader:
    """The reader that the manifest describes, checked and loaded. Raises ModelRefused naming the file."""
    manifest = load_any_manifest(manifest_path)
    if isinstance(manifest, CascadeManifest):
        return _open_cascade(manifest)
    return EncoderReader(manifest) if manifest.kind == "encoder" else GenerativeReader(manifest)


def open_encoder(manifest_path: Path) -> EncoderReader:
    """The encoder reader that the manifest describes. Raises ModelRefused."""
    return EncoderReader(load_manifest(manifest_path, "encoder"))


def open_judge(manifest_path: Path) -> GenerativeReader:
    """The generative reader that the manifest describes. Raises ModelRefused."""
    return GenerativeReader(load_manifest(manifest_path, "generative"))


def _open_cascade(manifest: CascadeManifest) -> CascadeReader:
    reader_id = identify_cascade(manifest)
    first = open_encoder(manifest.cheap)
    try:
        return CascadeReader(manifest, reader_id, first, open_judge(manifest.second))
    except ModelRefused:
        first.close()
        raise
