"""From files to a registered reader: the manifest, the model card, and the figures that evaluation wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.domain import RegisteredReader, now
from credit_signals.errors import ConfigurationError
from credit_signals.inference.manifest import ModelFile, identify, load_manifest


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
    manifest = load_manifest(files.manifest)
    reader_id = identify(manifest)
    metrics = _metrics(files.metrics)
    measured = metrics.get("reader_id", reader_id)
    if measured != reader_id:
        raise ConfigurationError(f"{files.metrics}: figures of reader {measured}, but the manifest makes {reader_id}")
    data_hash = files.data_hash or metrics.get("data_hash")
    if not isinstance(data_hash, str) or not data_hash:
        raise ConfigurationError(f"{files.metrics}: holds no `data_hash`; state that of the training data")
    return RegisteredReader(
        id=reader_id,
        kind=manifest.kind,
        manifest=files.known_as,
        base=_named(manifest.model),
        adapter=_named(manifest.adapter) if manifest.adapter else "",
        data_hash=data_hash,
        metrics=metrics,
        card=_card(files.card),
        registered_at=now(),
    )


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
