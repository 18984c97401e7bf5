"""Conversion without torch: what is written, and what is refused."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_samples import (
    BERT,
    BERT_MODULES,
    LLAMA,
    LLAMA_MODULES,
    write_adapter,
    write_model,
    write_safetensors,
)

pytest.importorskip("gguf", reason="conversion needs the package gguf")

import gguf

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.architecture import interleave
from credit_signals.tuning.conversion.bpe import LLAMA3_SPLIT, QWEN2_SPLIT, pre_tokenizer_name
from credit_signals.tuning.conversion.convert import convert_adapter, convert_model, merged
from credit_signals.tuning.conversion.gguf_file import whole_file
from credit_signals.tuning.conversion.identity import BaseModel, Identity
from credit_signals.tuning.conversion.model_folder import SourceModel

IDENTITY = Identity(
    name="Tiny",
    version="3",
    license="apache-2.0",
    author="A. Writer",
    organization="Example",
    languages=("en", "de"),
    base=BaseModel("Base", "Maker", "1", "https://models.example/base"),
    template_sha256="a" * 64,
    data_sha256="b" * 64,
)


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    """A folder of a small Llama."""
    return write_model(tmp_path / "llama", LLAMA)


def fields_of(path: Path) -> dict[str, Any]:
    """The metadata of a file."""
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def tensors_of(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of a file in float32."""
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1])
        for tensor in gguf.GGUFReader(path).tensors
    }


def change(path: Path, **values: Any) -> None:
    """Set keys of a JSON file; None removes one."""
    content = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def test_origin_and_hashes_are_in_the_file(llama: Path, tmp_path: Path) -> None:
    """Name, version, licence, author, base model, template and data hash are metadata of the GGUF."""
    (llama / "chat_template.jinja").write_text("{{ messages[0].content }}")
    convert_model(SourceModel.read(llama), tmp_path / "out.gguf", IDENTITY)
    fields = fields_of(tmp_path / "out.gguf")
    expected = {
        "general.architecture": "llama",
        "general.name": "Tiny",
        "general.version": "3",
        "general.license": "apache-2.0",
        "general.author": "A. Writer",
        "general.organization": "Example",
        "general.languages": ["en", "de"],
        "general.base_model.0.name": "Base",
        "general.base_model.0.organization": "Maker",
        "general.base_model.0.repo_url": "https://models.example/base",
        "credit_signals.template_sha256": "a" * 64,
        "credit_signals.data_sha256": "b" * 64,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.chat_template": "{{ messages[0].content }}",
        "llama.rope.freq_base": 50000.0,
        "llama.attention.head_count_kv": 2,
    }
    assert {key: fields.get(key) for key in expected} == expected


def test_equal_inputs_give_equal_bytes(llama: Path, tmp_path: Path) -> None:
    """A conversion can be repeated and checked by its hash."""
    source = SourceModel.read(llama)
    digests = [convert_model(source, tmp_path / name, IDENTITY, "BF16") for name in ("a.gguf", "b.gguf")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a.gguf").stat().st_size < 200_000


def test_an_untied_output_is_written(tmp_path: Path) -> None:
    """Output embeddings of their own are in the file, tied ones are not."""
    for tied in (True, False):
        folder = write_model(tmp_path / f"tied-{tied}", {**LLAMA, "tie_word_embeddings": tied})
        convert_model(SourceModel.read(folder), tmp_path / "out.gguf", IDENTITY)
        assert ("output.weight" in tensors_of(tmp_path / "out.gguf")) is not tied


@given(heads=st.integers(1, 5), half=st.integers(1, 6), columns=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_halves_become_pairs(heads: int, half: int, columns: int) -> None:
    """Row i of a head's first half comes before row i of its second half; no row leaves its head."""
    rows = np.arange(heads * 2 * half * columns, dtype=np.float32).reshape(-1, columns)
    mixed = interleave(rows, heads).reshape(heads, 2 * half, columns)
    expected = rows.reshape(heads, 2 * half, columns)
    assert np.array_equal(mixed[:, 0::2], expected[:, :half])
    assert np.array_equal(mixed[:, 1::2], expected[:, half:])


def test_a_merged_adapter_changes_its_weights_only(llama: Path, tmp_path: Path) -> None:
    """W + alpha / rank * B·A where the adapter is, W elsewhere."""
    adapter = write_adapter(tmp_path / "adapter", llama, LLAMA_MODULES)
    bare = SourceModel.read(llama)
    one, other = bare.weights, merged(bare, adapter).weights
    changed = {name for name in one.shapes() if not np.array_equal(one.read(name), other.read(name))}
    assert changed == {f"{module}.weight" for module in LLAMA_MODULES}


@pytest.mark.parametrize(("config", "modules"), [(LLAMA, LLAMA_MODULES), (BERT, BERT_MODULES)])
def test_an_adapter_file_holds_the_same_change(tmp_path: Path, config: dict[str, Any], modules: dict[str, Any]) -> None:
    """alpha / rank * lora_b·lora_a is the difference between merged and bare weights, in llama.cpp's order."""
    folder = write_model(tmp_path / "model", config)
    patterns = {"alpha_pattern": {next(iter(modules)): 24}}
    adapter = write_adapter(tmp_path / "adapter", folder, modules, **patterns)
    source = SourceModel.read(folder)
    convert_model(source, tmp_path / "bare.gguf", IDENTITY)
    convert_model(merged(source, adapter), tmp_path / "merged.gguf", IDENTITY)
    convert_adapter(source, adapter, tmp_path / "adapter.gguf", IDENTITY)
    bare, both, alone = (tensors_of(tmp_path / f"{name}.gguf") for name in ("bare", "merged", "adapter"))
    alpha = fields_of(tmp_path / "adapter.gguf")["adapter.lora.alpha"]
    assert len(alone) == 2 * len(modules)
    for name in (name.removesuffix(".lora_a") for name in alone if name.endswith(".lora_a")):
        delta = alpha / 4 * alone[f"{name}.lora_b"] @ alone[f"{name}.lora_a"]
        assert np.allclose(bare[name] + delta, both[name], atol=0.02)
        assert not np.allclose(bare[name], both[name], atol=0.02)


_HEADER = json.dumps({"x": {"dtype": "F32", "shape": [-2, -3], "data_offsets": [0, 24]}}).encode()
BELOW_NOTHING = len(_HEADER).to_bytes(8, "little") + _HEADER + bytes(24)
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "cannot be read"),
    "cut weights": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-400]),
        "cut short",
    ),
    "no header": (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 99), "damaged"),
    "a shape below nothing": (lambda folder: (folder / "model.safetensors").write_bytes(BELOW_NOTHING), "its shape"),
    "a tensor less": (lambda folder: drop_tensor(folder, "model.norm.weight"), "output_norm.weight"),
    "a strange tensor": (
        lambda folder: write_safetensors(folder / "model.safetensors", {"x": np.ones(2)}),
        "no place",
    ),
    "not finite": (lambda folder: spoil_tensor(folder, "model.norm.weight"), "not finite"),
    "another width": (lambda folder: change(folder / "config.json", hidden_size=32), "says"),
    "no layers": (lambda folder: change(folder / "config.json", num_hidden_layers="two"), "num_hidden_layers"),
    "odd heads": (lambda folder: change(folder / "config.json", num_key_value_heads=3), "key heads"),
    "another architecture": (lambda folder: change(folder / "config.json", model_type="gpt_neox"), "gpt_neox"),
    "another activation": (lambda folder: change(folder / "config.json", hidden_act="gelu"), "activation"),
    "another rotation": (lambda folder: change(folder / "config.json", rope_parameters={"rope_type": "yarn"}), "yarn"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("{"), "not JSON"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json"),
    "no vocabulary": (lambda folder: change(folder / "tokenizer.json", model={"type": "BPE"}), "vocabulary"),
    "unknown split": (
        lambda folder: change(folder / "tokenizer.json", pre_tokenizer={"type": "Whitespace"}),
        "--pre",
    ),
    "lower case": (lambda folder: change(folder / "tokenizer.json", normalizer={"type": "Lowercase"}), "byte-level"),
}


def drop_tensor(folder: Path, name: str) -> None:
    """Write the weights again without one."""
    weights = SourceModel.read(folder).weights
    kept = {each: weights.read(each).copy() for each in weights.shapes() if each != name}
    write_safetensors(folder / "model.safetensors", kept)


def spoil_tensor(folder: Path, name: str) -> None:
    """Write the weights again with a number that is none in one."""
    weights = SourceModel.read(folder).weights
    arrays = {each: weights.read(each).copy() for each in weights.shapes()}
    arrays[name][0] = np.nan
    write_safetensors(folder / "model.safetensors", arrays)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_strange_folder_is_refused_by_name(llama: Path, tmp_path: Path, damage: str) -> None:
    """The error says which file and what; nothing is left behind."""
    act, words = DAMAGES[damage]
    act(llama)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ModelRefused, match=words):
        convert_model(SourceModel.read(llama), out / "out.gguf", IDENTITY)
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("config", "modules", "words"),
    [
        ({"use_dora": True}, LLAMA_MODULES, "plain LoRA"),
        ({"peft_type": "IA3"}, LLAMA_MODULES, "IA3"),
        ({"bias": "all"}, LLAMA_MODULES, "plain LoRA"),
        ({"r": "four"}, LLAMA_MODULES, "not the configuration"),
        ({}, {"model.layers.7.self_attn.q_proj": (64, 64)}, r"layers\.7"),
        ({}, {"model.layers.0.self_attn.q_proj": (32, 64)}, "changes"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    llama: Path, tmp_path: Path, config: dict[str, Any], modules: dict[str, tuple[int, int]], words: str
) -> None:
    """Merged or alone, only plain LoRA of this model is taken."""
    adapter = write_adapter(tmp_path / "adapter", llama, modules, **config)
    source = SourceModel.read(llama)
    with pytest.raises(ModelRefused, match=words):
        convert_model(merged(source, adapter), tmp_path / "out.gguf", IDENTITY)
    with pytest.raises(ModelRefused, match=words):
        convert_adapter(source, adapter, tmp_path / "out.gguf", IDENTITY)


@pytest.mark.parametrize(
    ("steps", "merges", "name"),
    [
        ([{"type": "ByteLevel"}], False, "gpt-2"),
        ([{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel"}], False, "smollm"),
        ([LLAMA3_SPLIT], True, "llama-bpe"),
        ([LLAMA3_SPLIT], False, "smaug-bpe"),
        ([QWEN2_SPLIT], False, "qwen2"),
    ],
)
def test_the_pre_tokenizer_is_told_by_its_steps(llama: Path, steps: list[Any], merges: bool, name: str) -> None:
    """llama.cpp's name follows from the tokenizer's own description."""
    if isinstance(steps[0], str):
        split = {"type": "Split", "pattern": {"Regex": steps[0]}, "behavior": "Isolated", "invert": False}
        steps = [split, {"type": "ByteLevel", "use_regex": False}]
    model = {**json.loads((llama / "tokenizer.json").read_text())["model"], "ignore_merges": merges}
    change(llama / "tokenizer.json", pre_tokenizer={"type": "Sequence", "pretokenizers": steps}, model=model)
    assert pre_tokenizer_name(SourceModel.read(llama)) == name


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """The file is replaced as a whole; a writer that fails half-way changes nothing."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), whole_file(path) as part:
        part.write_bytes((tmp_path / "absent").read_bytes())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named(llama: Path, tmp_path: Path) -> None:
    """A disk that takes no more (here: a limit on file size) gives one error with file and reason, and no file."""
    code = (
        "import sys; from pathlib import Path;"
        "from credit_signals.tuning.conversion.convert import convert_model;"
        "from credit_signals.tuning.conversion.identity import Identity;"
        "from credit_signals.tuning.conversion.model_folder import SourceModel;"
        "convert_model(SourceModel.read(Path(sys.argv[1])), Path(sys.argv[2]), Identity('t'))"
    )
    out = tmp_path / "out"
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(llama), str(out / "model.gguf")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr.splitlines()[-1]
    assert "model.gguf" in done.stderr.splitlines()[-1]
    assert not list(out.iterdir())
