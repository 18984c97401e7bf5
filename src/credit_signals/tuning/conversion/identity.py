"""What a GGUF file says of itself: name, origin, licence, and the hashes of prompt template and training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from credit_signals.inference.questions import TEMPLATE_KEY

DATA_KEY = "credit_signals.data_sha256"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model that was tuned."""

    name: str
    organization: str = ""
    version: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Metadata of a model; what is empty is not written. `license` is an SPDX id in lower case."""

    name: str
    version: str = ""
    license: str = ""
    author: str = ""
    organization: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # ISO 639-1
    base: BaseModel | None = None
    template_sha256: str = ""
    data_sha256: str = ""

    def write(self, writer: Any) -> None:
        """Add the keys to a GGUFWriter."""
        writer.add_name(self.name)
        for value, add in (
            (self.version, writer.add_version),
            (self.author, writer.add_author),
            (self.organization, writer.add_organization),
            (self.license, writer.add_license),
            (self.description, writer.add_description),
            (self.tags, writer.add_tags),
            (self.languages, writer.add_languages),
        ):
            if value:
                add(value)
        if self.base:
            _write_base(writer, self.base)
        for key, value in ((TEMPLATE_KEY, self.template_sha256), (DATA_KEY, self.data_sha256)):
            if value:
                writer.add_string(key, value)


def _write_base(writer: Any, base: BaseModel) -> None:
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, base.name)
    for value, add in (
        (base.organization, writer.add_base_model_organization),
        (base.version, writer.add_base_model_version),
        (base.url, writer.add_base_model_repo_url),
    ):
        if value:
            add(0, value)
