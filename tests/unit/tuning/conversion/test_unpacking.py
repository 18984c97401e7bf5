"""An encoder's GGUF file becomes a folder again that trains and serves alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_samples import BERT, LLAMA, SENTENCES, write_model

pytest.importorskip("safetensors", reason="unpacking needs the extra `tune`")
tokenizers = pytest.importorskip("tokenizers", reason="unpacking needs the extra `tune`")

from credit_signals.errors import ModelRefused  # noqa: E402
from credit_signals.tuning.conversion.convert import convert_model  # noqa: E402
from credit_signals.tuning.conversion.identity import Identity  # noqa: E402
from credit_signals.tuning.conversion.model_folder import SourceModel  # noqa: E402
from credit_signals.tuning.conversion.unpacking import unpack  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a small BERT."""
    return write_model(tmp_path / "bert", BERT)


def test_what_was_packed_comes_back(folder: Path, tmp_path: Path) -> None:
    """Converting the unpacked folder gives the same file, byte for byte: weights, words and shape are the same."""
    convert_model(SourceModel.read(folder), tmp_path / "a.gguf", Identity("tiny"))
    words = unpack(tmp_path / "a.gguf", tmp_path / "unpacked")
    convert_model(SourceModel.read(tmp_path / "unpacked"), tmp_path / "b.gguf", Identity("tiny"))
    assert words == len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_text_is_cut_as_before(folder: Path, tmp_path: Path) -> None:
    """The unpacked tokenizer gives the ids of the original one."""
    convert_model(SourceModel.read(folder), tmp_path / "a.gguf", Identity("tiny"))
    unpack(tmp_path / "a.gguf", tmp_path / "unpacked")
    first, second = (tokenizers.Tokenizer.from_file(str(f / "tokenizer.json")) for f in (folder, tmp_path / "unpacked"))
    for sentence in SENTENCES:
        ids = [each.encode(sentence, add_special_tokens=False).ids for each in (first, second)]
        assert ids[0] == ids[1]


def test_another_model_is_refused(tmp_path: Path) -> None:
    """A causal model, and a file that is no GGUF, are refused by name."""
    convert_model(SourceModel.read(write_model(tmp_path / "llama", LLAMA)), tmp_path / "llama.gguf", Identity("tiny"))
    (tmp_path / "text.gguf").write_text("no model" * 9)
    for name in ("llama.gguf", "text.gguf"):
        with pytest.raises(ModelRefused, match=name):
            unpack(tmp_path / name, tmp_path / "out")
