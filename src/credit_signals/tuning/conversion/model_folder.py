"""A Hugging Face model folder: config.json, tokenizer.json, weights in safetensors, and what stands beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.tensor_files import Weights, model_weights

SPECIAL = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")


@dataclass(frozen=True, slots=True)
class SourceModel:
    """What a conversion starts from; `place` is named in errors."""

    place: str
    config: dict[str, Any]
    tokenizer: dict[str, Any]  # of tokenizer.json
    weights: Weights
    special: dict[str, str] = field(default_factory=dict)  # role (of SPECIAL) -> text of the token
    chat_template: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder; the weights are read later, one by one. Raises ModelRefused naming the file."""
        options = _optional(folder / "tokenizer_config.json")
        template = folder / "chat_template.jinja"  # where newer versions of transformers keep it
        text = template.read_text(encoding="utf-8") if template.exists() else options.get("chat_template", "")
        return cls(
            place=str(folder),
            config=_read(folder / "config.json"),
            tokenizer=_read(folder / "tokenizer.json"),
            weights=model_weights(folder),
            special={role: name for role in SPECIAL if (name := _text(options.get(f"{role}_token")))},
            chat_template=text if isinstance(text, str) else "",
        )

    def with_weights(self, weights: Weights) -> SourceModel:
        """The same model with other weights of the same shapes."""
        return replace(self, weights=weights)

    def number(self, key: str, default: float | None = None) -> Any:
        """A number of the configuration. Raises ModelRefused when it is not there and has no default."""
        value = self.config.get(key)
        if value is None:
            value = default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ModelRefused(f"{self.place}/config.json: {key} is {value!r}, not a number of 0 or more")
        return value

    def vocabulary(self) -> list[str]:
        """The text of each token id. Raises ModelRefused when ids are missing or doubled."""
        try:
            ids = {int(number): str(token) for token, number in self.tokenizer["model"]["vocab"].items()}
            ids |= {int(token["id"]): str(token["content"]) for token in self.added_tokens()}
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise ModelRefused(f"{self.place}/tokenizer.json: no vocabulary of tokens and ids: {exc!r}") from exc
        if sorted(ids) != list(range(len(ids))):
            raise ModelRefused(f"{self.place}/tokenizer.json: token ids are not 0 to {len(ids) - 1}")
        return [ids[number] for number in range(len(ids))]

    def added_tokens(self) -> list[dict[str, Any]]:
        """The tokens that are found before the text is split, in the order of their ids."""
        tokens = self.tokenizer.get("added_tokens") or []
        return sorted(tokens, key=lambda token: int(token["id"]))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ModelRefused(f"{path}: cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ModelRefused(f"{path}: damaged: not JSON: {exc}") from exc
    if not isinstance(content, dict):
        raise ModelRefused(f"{path}: damaged: not a JSON object")
    return content


def _optional(path: Path) -> dict[str, Any]:
    return _read(path) if path.exists() else {}


def _text(token: Any) -> str:
    """A special token is written as text or as an object that holds it."""
    value = token.get("content") if isinstance(token, dict) else token
    return value if isinstance(value, str) else ""
