"""From files to a registered reader: the manifest, the model card, and the figures that evaluation wrote."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """What a registration is made of. `known_as`: the manifest's place as workers are told it."""

    manifest: Path
    known_as: str
    card: Path
    metrics: Path  # JSON object
    data_hash: str = ""  # empty: the `data_hash` of the metrics


def describe_reader(files: ReaderFiles) -> RegisteredReader:
    """The reader that the files describe; no model is loaded.

    Raises ModelRefused for a manifest, ConfigurationError for a card or metrics that cannot be used.
    """
    known_id = reader_id(files.manifest)
    manifest = load_any_manifest(files.manifest)
    parts = _parts(manifest)
    metrics = _metrics(files.metrics)
    measured = metrics.get("reader_id", known_id)
    if measured != known_id:
        raise ConfigurationError(f"{files.metrics}: figures of reader {measured}, but the manifest makes {known_id}")
    data_hash = files.data_hash or metrics.get("data_hash")
    if not isinstance(data_hash, str) or not data_hash:
        raise ConfigurationError(f"{files.metrics}: holds no `data_hash`; state that of the training data")
    return RegisteredReader(
        id=known_id,
        kind=manifest.kind,
        manifest=files.known_as,
        base="; ".join(_named(part.model) for part in parts),
        adapter="; ".join(_named(part.adapter) for part in parts if part.adapter),
        data_hash=data_hash,
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
