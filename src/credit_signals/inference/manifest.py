"""The manifest of a reader: which files, with which SHA-256, and what the reader knows. Reading it loads no model.

    kind = "encoder"                    # or "generative"
    version = "1"                       # raised when the meaning of the answers changes
    languages = ["en"]                  # ISO 639-1; other text is not read; empty: all
    threads = 1
    [model]                             # GGUF
    file = "models/section-encoder.gguf"
    sha256 = "..."
    [adapter]                           # may be left out: GGUF, low rank, laid over the model
    [heads]                             # encoder: see formats.SignalHeads
    [activity]                          # encoder, may be left out: see formats.ActivityIndex
    [questions]                         # generative
    folder = "questions"

A cascade names two other manifests instead: an encoder that reads everything, and a generative reader that is asked
about what the encoder doubts.

    kind = "cascade"
    version = "1"
    cheap = "encoder.toml"
    second = "generative.toml"
    least_margin = 0.2                  # P(yes) - P(no), either way, below which a pair stays unsure
    [blend]                             # log-odds of yes = first * the encoder's + second * the other's + shift
    first = 0.5
    second = 0.8
    shift = -0.1
    [bounds.default]                    # a sentence and a code are asked about when lower <= P < upper
    lower = 0.2
    upper = 0.7
    [bounds.layoffs]                    # a code without bounds is the encoder's alone
    lower = 0.1
    upper = 0.9

Paths are relative to the manifest.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from credit_signals.domain import content_id
from credit_signals.errors import ModelRefused
from credit_signals.inference.model_file import file_hash
from credit_signals.taxonomy.signals import BY_CODE

DEFAULT = "default"  # the bounds of the codes that have none of their own


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
    unsure_band: float = Field(0.0, ge=0, le=0.5)  # encoder: so far below its threshold a code is stored as unsure

    def knows(self, language: str) -> bool:
        """Whether text of this language is read; text of unknown language is."""
        return not language or not self.languages or language in self.languages


class Bounds(_Part):
    """Probabilities from `lower` up to, not including, `upper` are doubtful."""

    lower: float = Field(ge=0, le=1)
    upper: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.lower > self.upper:
            raise ValueError(f"lower {self.lower} is above upper {self.upper}")
        return self


class Blend(_Part):
    """How two probabilities become one: log-odds = first * log-odds of the first + second * the second's + shift."""

    first: float = Field(0.0, allow_inf_nan=False)
    second: float = Field(1.0, allow_inf_nan=False)
    shift: float = Field(0.0, allow_inf_nan=False)


class CascadeManifest(_Part):
    """A manifest of two readers, its paths made absolute."""

    kind: Literal["cascade"]
    version: str = Field(min_length=1)
    cheap: Path
    second: Path
    least_margin: float = Field(0.0, ge=0, le=1)
    blend: Blend = Blend()
    bounds: dict[str, Bounds] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> CascadeManifest:
        unknown = sorted(set(self.bounds) - set(BY_CODE) - {DEFAULT})
        if unknown:
            raise ValueError(f"bounds of the unknown code {unknown[0]!r}")
        return self

    def bounds_of(self, code: str) -> Bounds | None:
        """The code's bounds, or None when the first reader decides it alone."""
        return self.bounds.get(code, self.bounds.get(DEFAULT))


_ANY: TypeAdapter[Manifest | CascadeManifest] = TypeAdapter(
    Annotated[Manifest | CascadeManifest, Field(discriminator="kind")]
)


def load_manifest(path: Path, kind: Literal["encoder", "generative", ""] = "") -> Manifest:
    """Read the manifest of one model, of this kind where one is named. Raises ModelRefused."""
    manifest = load_any_manifest(path)
    if isinstance(manifest, CascadeManifest) or (kind and manifest.kind != kind):
        raise ModelRefused(f"{path}: of kind {manifest.kind}, where {kind or 'the manifest of one model'} is needed")
    return manifest


def load_any_manifest(path: Path) -> Manifest | CascadeManifest:
    """Read a manifest of any kind. Raises ModelRefused."""
    try:
        manifest = _ANY.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ModelRefused(f"{path}: the manifest cannot be read: {exc.strerror}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "kind"
        raise ModelRefused(f"{path}: not a manifest: {place}: {first['msg']}") from exc
    except ValueError as exc:
        raise ModelRefused(f"{path}: not a manifest: {exc}") from exc
    folder = path.resolve().parent
    if isinstance(manifest, CascadeManifest):
        return manifest.model_copy(update={"cheap": folder / manifest.cheap, "second": folder / manifest.second})
    needed = manifest.heads if manifest.kind == "encoder" else manifest.questions
    if needed is None:
        raise ModelRefused(f"{path}: {'heads' if manifest.kind == 'encoder' else 'questions'} is missing")
    return _absolute(manifest, folder)


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
    manifest = load_any_manifest(path)
    return identify_cascade(manifest) if isinstance(manifest, CascadeManifest) else identify(manifest)


def identify_cascade(manifest: CascadeManifest) -> str:
    """The id of a cascade: of both readers, and of what decides between them. Raises ModelRefused."""
    rules = manifest.model_dump_json(include={"least_margin", "blend"})
    bounds = [f"{code} {each.lower} {each.upper}" for code, each in sorted(manifest.bounds.items())]
    readers = [
        identify(load_manifest(manifest.cheap, "encoder")),
        identify(load_manifest(manifest.second, "generative")),
    ]
    parts = [manifest.kind, manifest.version, *readers, rules, *bounds]
    return f"{manifest.version}-{content_id(*parts)}"


def identify(manifest: Manifest) -> str:
    """The reader's id; see reader_id. Raises ModelRefused when a question file cannot be read."""
    parts = [manifest.kind, manifest.version, *sorted(manifest.languages)]
    for part in (manifest.model, manifest.adapter, manifest.heads, manifest.activity):
        parts.append(part.sha256.lower() if part else "")
    if manifest.unsure_band:
        parts.append(f"unsure {manifest.unsure_band}")
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
        lines += ["", f"[{part}]", f"file = {json.dumps(name.as_posix())}", f'sha256 = "{file_hash(full)}"']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
