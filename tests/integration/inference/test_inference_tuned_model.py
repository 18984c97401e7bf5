"""Generative readers with an adapter over their base, and models that know their prompt template."""

from __future__ import annotations

from pathlib import Path

import pytest
from reader_samples import QUESTIONS, make_section, sha256, write_generative_manifest

pytest.importorskip("gguf", reason="making a model needs the package gguf")

import numpy as np

from credit_signals.errors import ModelRefused
from credit_signals.inference.manifest import reader_id
from credit_signals.inference.opening import open_reader
from credit_signals.inference.questions import load_questions
from credit_signals.tuning.conversion.gguf_file import write_adapter
from credit_signals.tuning.conversion.identity import Identity

SECTION = make_section(["We closed the plant in Leeds.", "Forty jobs are lost.", "Our new director is Ann."])


def adapted_manifest(folder: Path, base: Path, template: str) -> Path:
    """A reader over the base with a random adapter that was tuned on the template of this hash."""
    random = np.random.default_rng(2)
    tensors = {
        "blk.0.ffn_down.weight.lora_a": random.standard_normal((4, 128)).astype(np.float32),
        "blk.0.ffn_down.weight.lora_b": random.standard_normal((64, 4)).astype(np.float32),
    }
    adapter = folder / "adapter.gguf"
    write_adapter(adapter, "llama", 16.0, Identity("adapter", template_sha256=template), tensors)
    manifest = write_generative_manifest(folder, base)
    part = f'[adapter]\nfile = "{adapter}"\nsha256 = "{sha256(adapter)}"\n'
    manifest.write_text(manifest.read_text() + part)
    return manifest


def test_an_adapter_makes_another_reader_of_the_same_base(tiny_llama: Path, tmp_path: Path) -> None:
    """The manifest's adapter changes answers and id; the base file stays as it is."""
    (tmp_path / "bare").mkdir()
    bare = write_generative_manifest(tmp_path / "bare", tiny_llama)
    adapted = adapted_manifest(tmp_path, tiny_llama, load_questions(QUESTIONS).template.sha256)
    assert reader_id(bare) != reader_id(adapted)
    found = []
    for manifest in (bare, adapted, adapted):
        reader = open_reader(manifest)
        found.append([(s.code, s.sentence, s.confidence) for s in reader.read([SECTION])[0].signals])
        reader.close()
    assert found[0] != found[1] == found[2]


def test_an_adapter_of_another_template_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    """What was tuned on one prompt is not served with another; the error names the adapter."""
    manifest = adapted_manifest(tmp_path, tiny_llama, "f" * 64)
    with pytest.raises(ModelRefused, match=r"adapter\.gguf: tuned on the template ffffffffffff"):
        open_reader(manifest)


def test_a_changed_adapter_file_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    """The adapter must be the manifest's, to the byte."""
    manifest = adapted_manifest(tmp_path, tiny_llama, "")
    adapter = tmp_path / "adapter.gguf"
    adapter.write_bytes(adapter.read_bytes() + b"\0")
    with pytest.raises(ModelRefused, match="SHA-256"):
        open_reader(manifest)
