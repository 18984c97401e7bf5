"""The manifest of a reader: which files, with which SHA-256, and what the reader knows. Reading it loads no model.

    kind = "encoder"                    # or "generative"
    version = "1"                       # raised when the meaning of the answers changes
    languages = ["en"]                  # ISO 639-1; other text is not read; empty: all
    threads = 1
    [model]                             # GGUF
    file = "models/all-MiniLM-L6-v2.bf16.gguf"
    sha256 = "..."
    [adapter]                           # encoder, may be left out: GGUF, low rank
    [heads]                             # encoder: see formats.SignalHeads
    [activity]                          # encoder, may be left out: see formats.ActivityIndex
    [questions]                         # generative
    folder = "questions"

Paths are relative to the manifest.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from credit_signals.domain import content_id
from credit_signals.errors import ModelRefused


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Part):
    """A file and the SHA-256 that it must have."""

    file: Path
    sha256: str = Field(pattern="^[0-9a-fA-F]{64}$")


class QuestionFolder(_Part):
    """Where the question files lie."""

    folder: Path


class Manifest(_Part):
    """A manifest, its paths made absolute."""

    kind: Literal["encoder", "generative"]
    version: str = Field(min_length=1)
    languages: tuple[str, ...] = ()
    threads: int = Field(1, ge=1)
    context_tokens: int = Field(2048, ge=256)  # generative: memory for instruction, sections and questions of a batch
    model: ModelFile
    adapter: ModelFile | None = None
    heads: ModelFile | None = None
    activity: ModelFile | None = None
    questions: QuestionFolder | None = None

    def knows(self, language: str) -> bool:
        """Whether text of this language is read; text of unknown language is."""
        return not language or not self.languages or language in self.languages


def load_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises ModelRefused."""
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ModelRefused(f"{path}: the manifest cannot be read: {exc.strerror}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"{path}: not a manifest: {place}: {first['msg']}") from exc
    except ValueError as exc:
        raise ModelRefused(f"{path}: not a manifest: {exc}") from exc
    needed = manifest.heads if manifest.kind == "encoder" else manifest.questions
    if needed is None:
        raise ModelRefused(f"{path}: {'heads' if manifest.kind == 'encoder' else 'questions'} is missing")
    return _absolute(manifest, path.resolve().parent)


def _absolute(manifest: Manifest, folder: Path) -> Manifest:
    files = {
        name: part.model_copy(update={"file": folder / part.file})
        for name in ("model", "adapter", "heads", "activity")
        if (part := getattr(manifest, name)) is not None
    }
    questions = manifest.questions and QuestionFolder(folder=folder / manifest.questions.folder)
    return manifest.model_copy(update={**files, "questions": questions})


def reader_id(path: Path) -> str:
    """The id of the reader that this manifest makes: question version and a hash of all that shapes its answers.

    Loads no model. Raises ModelRefused.
    """
    return identify(load_manifest(path))


def identify(manifest: Manifest) -> str:
    """The reader's id; see reader_id. Raises ModelRefused when a question file cannot be read."""
    parts = [manifest.kind, manifest.version, *sorted(manifest.languages)]
    for part in (manifest.model, manifest.adapter, manifest.heads, manifest.activity):
        parts.append(part.sha256.lower() if part else "")
    if manifest.questions:
        parts += [_text(file) for file in question_files(manifest.questions.folder)]
    return f"{manifest.version}-{content_id(*parts)}"


def question_files(folder: Path) -> list[Path]:
    """The question files of a folder, in order. Raises ModelRefused when there is none."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ModelRefused(f"{folder}: holds no question file")
    return files


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ModelRefused(f"{file}: the question file cannot be read") from exc


def write_encoder_manifest(path: Path, version: str, languages: Sequence[str], files: Mapping[str, Path]) -> None:
    """Write the manifest of an encoder reader, with the present SHA-256 of each file.

    `files` names the parts: `model`, `heads` and, where there are any, `adapter` and `activity`. Files that lie beside
    the manifest or below are named relative to it. Raises OSError.
    """
    folder = path.resolve().parent
    lines = ['kind = "encoder"', f"version = {json.dumps(version)}", f"languages = {json.dumps(list(languages))}"]
    for part, file in files.items():
        full = file.resolve()
        name = full.relative_to(folder) if full.is_relative_to(folder) else full
        with full.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        lines += ["", f"[{part}]", f"file = {json.dumps(name.as_posix())}", f'sha256 = "{digest}"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
