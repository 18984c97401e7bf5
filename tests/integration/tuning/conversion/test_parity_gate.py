"""The parity gate on small random models: the original in torch, the file in llama.cpp."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.inference.reader_samples import make_heads
from tests.unit.tuning.conversion.model_samples import (
    BERT,
    BERT_MODULES,
    LLAMA,
    LLAMA_MODULES,
    SENTENCES,
    write_adapter,
    write_model,
)
from typer.testing import CliRunner

pytest.importorskip("torch", reason="the gate needs the extra `tune`")
pytest.importorskip("peft", reason="the gate needs the extra `tune`")
pytest.importorskip("gguf", reason="the gate needs the extra `tune`")

from credit_signals.cli.tune_commands import tune_app
from credit_signals.errors import ConfigurationError
from credit_signals.inference.encoder import Encoder
from credit_signals.tuning.conversion import architecture
from credit_signals.tuning.conversion.convert import convert_adapter, convert_model, merged
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.parity import Gate, Outcome, Sides, compare
from credit_signals.tuning.conversion.quantization import quantize
from credit_signals.tuning.conversion.reference import Reference
from credit_signals.tuning.conversion.served import Served

IDENTITY = Identity("Tiny")
GATE = Gate()
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
SHAPES = {
    "tied": LLAMA,
    "untied": {**LLAMA, "tie_word_embeddings": False, "attention_bias": True},
    "wide heads": {**LLAMA, "head_dim": 32, "num_key_value_heads": 1},
    "scaled rotation": {**LLAMA, "rope_parameters": {**LLAMA3, "original_max_position_embeddings": 64}},
}


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """Questions whose answers are yes, no or a number."""
    path = tmp_path / "chats.jsonl"
    rows = []
    for number in range(24):
        text = f"{SENTENCES[number % 4]} Note {number}.\n"
        question, answer = "Is the plant closed? Answer:", (" yes", " no", " 7")[number % 3]
        messages = [{"role": "user", "content": text + question}, {"role": "assistant", "content": answer}]
        pieces = [[text, False], [question, True]]
        rows.append({"id": f"r{number}", "group": "g", "split": "test", "messages": messages, "pieces": pieces})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """Sentences with and without a context."""
    path = tmp_path / "sentences.jsonl"
    rows = [{"text": text, "context": context} for text in SENTENCES for context in ("", "We are a bakery.")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def outcome(folder: Path, files: list[Path], sections: Path, **options: Any) -> Outcome:
    """Compare files with a folder."""
    served = [Served(file, options.get("adapter_gguf")) for file in files]
    reference = Reference(folder, options.get("adapter"))
    return compare(Sides(reference, served, sections, limit=100, heads=options.get("heads")), GATE)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_causal_model_in_f32_gives_the_original_logits(tmp_path: Path, chats: Path, shape: str) -> None:
    """Grouped keys, wide heads, biases, tied or own output, plain or scaled rotation: within 1e-3 of transformers."""
    folder = write_model(tmp_path / "model", SHAPES[shape])
    convert_model(SourceModel.read(folder), tmp_path / "f32.gguf", IDENTITY)
    found = outcome(folder, [tmp_path / "f32.gguf"], chats)
    comparison = found.comparisons[0]
    assert (comparison.kind, found.texts, comparison.agreement) == ("F32", 24, 1.0)
    assert comparison.largest is not None
    assert comparison.largest < 1e-3
    assert not found.faults(GATE, tmp_path / "f32.gguf")


def test_an_encoder_in_f32_gives_the_original_embeddings(tmp_path: Path, sentences: Path) -> None:
    """Whole texts and spans behind a context, words that extend the vocabulary among them."""
    folder = write_model(tmp_path / "model", BERT)
    convert_model(SourceModel.read(folder), tmp_path / "f32.gguf", IDENTITY)
    encoder = Encoder(tmp_path / "f32.gguf")
    make_heads(encoder).save(tmp_path / "heads.npz")
    encoder.close()
    comparison = outcome(folder, [tmp_path / "f32.gguf"], sentences, heads=tmp_path / "heads.npz").comparisons[0]
    assert comparison.agreement == 1.0
    assert comparison.largest is not None
    assert comparison.largest < 1e-3
    assert comparison.cosine_least is not None
    assert comparison.cosine_least > 0.9999


@pytest.mark.parametrize(("config", "modules"), [(LLAMA, LLAMA_MODULES), (BERT, BERT_MODULES)])
def test_merged_and_separate_adapters_are_the_same_model(
    tmp_path: Path, chats: Path, sentences: Path, config: dict[str, Any], modules: dict[str, Any]
) -> None:
    """Both give the numbers of PEFT; without the adapter the gate fails."""
    folder = write_model(tmp_path / "model", config)
    adapter = write_adapter(tmp_path / "adapter", folder, modules)
    source = SourceModel.read(folder)
    paths = {name: tmp_path / f"{name}.gguf" for name in ("bare", "merged", "adapter")}
    convert_model(source, paths["bare"], IDENTITY)
    convert_model(merged(source, adapter), paths["merged"], IDENTITY)
    convert_adapter(source, adapter, paths["adapter"], IDENTITY)
    texts = chats if config is LLAMA else sentences
    laid_over = outcome(folder, [paths["bare"]], texts, adapter=adapter, adapter_gguf=paths["adapter"]).comparisons[0]
    bare = outcome(folder, [paths["bare"]], texts, adapter=adapter)
    assert laid_over.largest is not None
    assert laid_over.largest < 5e-3  # the adapter is kept in 16 bit
    assert bare.faults(GATE, paths["bare"])
    if config is LLAMA:  # an encoder's whole texts are those of the bare model: with merged weights they differ
        assert not outcome(folder, [paths["merged"]], texts, adapter=adapter).faults(GATE, paths["merged"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows, _heads: rows,  # the rotary halves left as transformers has them
        lambda rows, heads: architecture.interleave(rows, 2 * heads),  # permuted as if there were more heads
    ],
)
def test_a_wrong_permutation_is_caught(
    tmp_path: Path, chats: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[..., Any]
) -> None:
    """A file that loads and answers, but not as the model does, fails the gate and the command."""
    folder = write_model(tmp_path / "model", LLAMA)
    original = architecture.interleave
    with monkeypatch.context() as patched:
        patched.setattr(
            architecture, "interleave", lambda rows, heads: spoil(rows, heads) if heads == 4 else original(rows, heads)
        )
        convert_model(SourceModel.read(folder), tmp_path / "wrong.gguf", IDENTITY)
    faults = outcome(folder, [tmp_path / "wrong.gguf"], chats).faults(GATE, tmp_path / "wrong.gguf")
    assert any("conversion is wrong" in fault for fault in faults)
    options = ["--sections", str(chats), "--report", str(tmp_path / "report.md")]
    result = CliRunner().invoke(tune_app, ["parity", str(folder), str(tmp_path / "wrong.gguf"), *options])
    assert result.exit_code == 1, result.output
    assert "**Failed.**" in (tmp_path / "report.md").read_text()


def test_another_tokenizer_is_caught_by_position(tmp_path: Path, chats: Path) -> None:
    """Tokenizers are compared first; the mismatch is told by row and place, never by text."""
    folder = write_model(tmp_path / "model", LLAMA)
    source = SourceModel.read(folder)
    bpe = source.tokenizer["model"]
    cut = {**source.tokenizer, "model": {**bpe, "merges": bpe["merges"][:-1]}}  # " no" falls apart
    convert_model(replace(source, tokenizer=cut), tmp_path / "wrong.gguf", IDENTITY)
    found = outcome(folder, [tmp_path / "wrong.gguf"], chats)
    (fault,) = found.faults(GATE, tmp_path / "wrong.gguf")
    assert "the tokenizers differ in" in fault
    assert "token " in fault
    assert "plant" not in fault
    assert found.comparisons[0].agreement is None


def test_only_the_file_that_ships_must_agree(tmp_path: Path, chats: Path) -> None:
    """A rough quantization beside the one that ships is reported, not failed."""
    folder = write_model(tmp_path / "model", LLAMA)
    convert_model(SourceModel.read(folder), tmp_path / "f32.gguf", IDENTITY)
    quantize(tmp_path / "f32.gguf", tmp_path / "q4.gguf", "Q4_0")
    found = outcome(folder, [tmp_path / "f32.gguf", tmp_path / "q4.gguf"], chats)
    rough = replace(found.comparisons[1], agreement=0.98)
    told = replace(found, comparisons=(found.comparisons[0], rough))
    assert not told.faults(GATE, tmp_path / "f32.gguf")
    assert told.faults(GATE, tmp_path / "q4.gguf") == ["q4.gguf: labels agree in 98.00%, 99% is needed"]


def test_the_commands_go_the_whole_way(tmp_path: Path, chats: Path) -> None:
    """convert, quantize, parity: a report in Markdown, without text of the sections."""
    folder = write_model(tmp_path / "model", LLAMA)
    f32, q8, report = (str(tmp_path / name) for name in ("f32.gguf", "q8.gguf", "report.md"))
    for arguments in (
        ["convert", str(folder), f32, "--name", "Tiny", "--data", str(chats)],
        ["quantize", f32, q8, "--type", "Q8_0"],
        ["parity", str(folder), f32, q8, "--sections", str(chats), "--report", report, "--ships", f32],
    ):
        result = CliRunner().invoke(tune_app, arguments)
        assert result.exit_code == 0, result.output
    text = Path(report).read_text()
    assert "| f32.gguf | F32 |" in text
    assert "| q8.gguf | Q8_0 |" in text
    assert "**Passed.**" in text
    assert "plant" not in text


def test_a_file_of_one_answer_shows_nothing(tmp_path: Path, chats: Path) -> None:
    """Where only one label is allowed, agreement would be certain: the gate refuses."""
    folder = write_model(tmp_path / "model", LLAMA)
    convert_model(SourceModel.read(folder), tmp_path / "f32.gguf", IDENTITY)
    one = [line for line in chats.read_text().splitlines() if '" yes"' in line]
    chats.write_text("\n".join(one) + "\n")
    with pytest.raises(ConfigurationError, match="two or more"):
        outcome(folder, [tmp_path / "f32.gguf"], chats)


def test_one_base_serves_several_adapters(tmp_path: Path, chats: Path) -> None:
    """Contexts with different adapters over one loaded base answer as models with merged weights."""
    from credit_signals.inference.asking import Asker, Question
    from credit_signals.inference.llama import Model

    folder = write_model(tmp_path / "model", LLAMA)
    source = SourceModel.read(folder)
    convert_model(source, tmp_path / "base.gguf", IDENTITY)
    modules = ({"model.layers.0.self_attn.q_proj": (64, 64)}, {"model.layers.1.mlp.down_proj": (64, 128)})
    labels, text = tuple(range(40, 60)), list(range(1, 100))
    shares, expected = [], []
    with Model(tmp_path / "base.gguf") as base:
        askers = []
        for number, module in enumerate(modules):
            adapter = write_adapter(tmp_path / f"adapter-{number}", folder, module)
            convert_adapter(source, adapter, tmp_path / f"{number}.gguf", IDENTITY)
            convert_model(merged(source, adapter), tmp_path / f"merged-{number}.gguf", IDENTITY)
            loaded = base.load_adapter(tmp_path / f"{number}.gguf")
            askers.append(Asker(base, [5, 6], memory=1024, adapter=loaded))
        for asker in askers:  # both are open
            asker.begin([text])
            shares.append(asker.ask([[Question((7, 8), labels)]])[0][0].shares)
            asker.close()
    for number in range(len(modules)):
        with Model(tmp_path / f"merged-{number}.gguf") as model:
            asker = Asker(model, [5, 6], memory=1024)
            asker.begin([text])
            expected.append(asker.ask([[Question((7, 8), labels)]])[0][0].shares)
            asker.close()
    assert np.allclose(shares, expected, atol=5e-3)
    assert not np.allclose(shares[0], shares[1], atol=0.02)
