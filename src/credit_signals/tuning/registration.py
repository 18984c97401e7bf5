"""From files to a registered reader: the manifest, the model card, and the figures that evaluation wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.domain import RegisteredReader, now
from credit_signals.errors import ConfigurationError
from credit_signals.inference.manifest import (
    CascadeManifest,
    Manifest,
    ModelFile,
    load_any_manifest,
    load_manifest,
    reader_id,
)
from credit_signals.inference.model_file import file_hash


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """What a registration is made of."""

    manifest: Path
    card: Path
    metrics: Path  # JSON object
    data: tuple[Path, ...] = ()  # what the reader was trained on
    data_hash: str = ""  # instead of `data`


def describe_reader(files: ReaderFiles, known_as: str) -> RegisteredReader:
    """The reader that the files describe; `known_as` is the manifest's place as workers are told it. Loads no model.

    Raises ModelRefused for a manifest, ConfigurationError for a card or metrics that cannot be used.
    """
    known_id = reader_id(files.manifest)
    manifest = load_any_manifest(files.manifest)
    parts = _parts(manifest)
    metrics = _metrics(files.metrics)
    measured = metrics.get("reader_id", known_id)
    if measured != known_id:
        raise ConfigurationError(f"{files.metrics}: figures of reader {measured}, but the manifest makes {known_id}")
    return RegisteredReader(
        id=known_id,
        kind=manifest.kind,
        manifest=known_as,
        base="; ".join(_named(part.model) for part in parts),
        adapter="; ".join(_named(part.adapter) for part in parts if part.adapter),
        data_hash=_data_hash(files),
        metrics=metrics,
        card=_card(files.card),
        registered_at=now(),
    )


def _parts(manifest: Manifest | CascadeManifest) -> list[Manifest]:
    if isinstance(manifest, CascadeManifest):
        return [load_manifest(manifest.cheap), load_manifest(manifest.second)]
    return [manifest]


def _named(part: ModelFile) -> str:
    return f"{part.file.name} sha256:{part.sha256.lower()}"


def _data_hash(files: ReaderFiles) -> str:
    """The SHA-256 of one file as it stands; of several, that of their sorted digests, one a line."""
    if bool(files.data) == bool(files.data_hash):
        raise ConfigurationError(f"{files.manifest}: state what the reader was trained on: its files, or else a hash")
    if files.data_hash:
        return files.data_hash
    digests = sorted(map(_digest, files.data))
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError as exc:
        raise ConfigurationError(f"{path}: the training data cannot be read: {exc.strerror}") from exc


def _metrics(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{path}: the metrics cannot be read: {exc}") from exc
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path}: the metrics are no JSON object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _card(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path}: the model card cannot be read: {exc}") from exc
    if not text.strip():
        raise ConfigurationError(f"{path}: the model card is empty")
    return text
