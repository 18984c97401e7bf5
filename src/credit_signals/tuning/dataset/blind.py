"""The blind test split: written once, its SHA-256 beside it, and never changed after that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from credit_signals.errors import ConfigurationError
from credit_signals.inference.model_file import file_hash
from credit_signals.tuning.dataset.rows import SentenceRow, beside, read_sentences, write_figures, write_lines


class BlindManifest(BaseModel):
    """What a blind split must be as long as it lives. `seed` is that of the splits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    sentences: int = Field(ge=1)
    seed: int


def manifest_of(path: Path) -> Path:
    """Where the manifest of a blind split lies."""
    return beside(path, "manifest.json")


def read_blind(path: Path, seed: int) -> list[SentenceRow]:
    """The sentences of a blind split; none where it is not written yet.

    Raises ConfigurationError when it is not what its manifest says, or when it was split with another seed: then its
    documents would be trained on.
    """
    if not path.exists():
        return []
    manifest = _manifest(path)
    found = file_hash(path)
    if found != manifest.sha256:
        raise ConfigurationError(f"blind split {path} was changed: SHA-256 {found}, written with {manifest.sha256}")
    if manifest.seed != seed:
        raise ConfigurationError(f"blind split {path} was split with seed {manifest.seed}, not {seed}")
    return read_sentences(path)


def _manifest(path: Path) -> BlindManifest:
    try:
        return BlindManifest.model_validate_json(manifest_of(path).read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"blind split {path} has no manifest {manifest_of(path)}: {exc.strerror}") from exc
    except ValidationError as exc:
        raise ConfigurationError(f"{manifest_of(path)}: not the manifest of a blind split") from exc


def write_blind(path: Path, rows: Sequence[SentenceRow], seed: int) -> BlindManifest:
    """Write a blind split and its manifest, both read-only. Raises ConfigurationError where it is there already."""
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    write_lines(half, (row.record() for row in rows))
    manifest = BlindManifest(sha256=file_hash(half), sentences=len(rows), seed=seed)
    try:
        os.link(half, path)  # unlike a rename it fails where another process was first
    except FileExistsError as exc:
        raise ConfigurationError(f"blind split {path} is written already and stays as it is") from exc
    finally:
        half.unlink()
    # a crash just here leaves a split without manifest, which is refused from then on: nobody relies on it yet
    write_figures(manifest_of(path), manifest.model_dump())
    for file in (path, manifest_of(path)):
        file.chmod(0o444)
    return manifest
