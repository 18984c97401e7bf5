"""Quantization by the real llama.cpp; no torch."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.tuning.conversion.model_samples import LLAMA, write_adapter, write_model

pytest.importorskip("gguf", reason="conversion needs the package gguf")

import gguf

from credit_signals.errors import ConfigurationError, ModelRefused
from credit_signals.inference.llama import Model
from credit_signals.tuning.conversion.convert import convert_adapter, convert_model
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.quantization import quantize

WIDE = {**LLAMA, "hidden_size": 256, "intermediate_size": 512, "head_dim": 64, "num_hidden_layers": 1}
IDENTITY = Identity("Tiny", license="apache-2.0", template_sha256="a" * 64)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with rows of 64."""
    folder = tmp_path_factory.mktemp("narrow")
    convert_model(SourceModel.read(write_model(folder / "model", LLAMA)), folder / "f32.gguf", IDENTITY)
    return folder / "f32.gguf"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with rows of 256."""
    folder = tmp_path_factory.mktemp("wide")
    convert_model(SourceModel.read(write_model(folder / "model", WIDE)), folder / "f32.gguf", IDENTITY)
    return folder / "f32.gguf"


def type_of(path: Path, tensor: str) -> str:
    """The type of a tensor."""
    return str(next(each for each in gguf.GGUFReader(path).tensors if each.name == tensor).tensor_type.name)


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "BF16", "F16"])
def test_small_rows_take_small_blocks(narrow: Path, tmp_path: Path, kind: str) -> None:
    """The matrices have the type that was asked for, the file loads and keeps its metadata."""
    quantize(narrow, tmp_path / "out.gguf", kind)
    assert type_of(tmp_path / "out.gguf", "blk.0.ffn_down.weight") == kind
    with Model(tmp_path / "out.gguf") as model:
        assert model.metadata("credit_signals.template_sha256") == "a" * 64
        assert model.metadata("general.license") == "apache-2.0"


def test_token_embeddings_may_have_a_type_of_their_own(narrow: Path, tmp_path: Path) -> None:
    """A large table of words can be smaller than the weights that are computed with."""
    quantize(narrow, tmp_path / "out.gguf", "BF16", "Q8_0")
    assert type_of(tmp_path / "out.gguf", "blk.0.ffn_down.weight") == "BF16"
    assert type_of(tmp_path / "out.gguf", "token_embd.weight") == "Q8_0"
    with Model(tmp_path / "out.gguf"), pytest.raises(ConfigurationError, match="Q4_0"):
        quantize(narrow, tmp_path / "again.gguf", "BF16", "Q4_0")


def test_wide_rows_take_super_blocks(wide: Path, tmp_path: Path) -> None:
    """K-quants are made where rows are multiples of 256."""
    quantize(wide, tmp_path / "out.gguf", "Q5_K_M")
    assert type_of(tmp_path / "out.gguf", "blk.0.attn_q.weight") == "Q5_K"


def test_rows_that_do_not_fit_are_refused(narrow: Path, tmp_path: Path) -> None:
    """llama.cpp would take another type without a word; the error names the tensor and what fits."""
    with pytest.raises(ModelRefused, match=r"token_embd.weight has rows of 64, Q5_K_M .* fits: .*Q4_0"):
        quantize(narrow, tmp_path / "out.gguf", "Q5_K_M")
    assert not list(tmp_path.iterdir())


def test_unknown_types_and_unfit_files_are_refused(narrow: Path, tmp_path: Path) -> None:
    """An unknown type, a cut file, an adapter, and a file that is quantized already give one clear error each."""
    (tmp_path / "cut.gguf").write_bytes(narrow.read_bytes()[:90_000])
    adapter = write_adapter(tmp_path / "lora", narrow.parent / "model", {"model.layers.0.self_attn.q_proj": (64, 64)})
    convert_adapter(SourceModel.read(narrow.parent / "model"), adapter, tmp_path / "lora.gguf", IDENTITY)
    quantize(narrow, tmp_path / "q8.gguf", "Q8_0")
    with pytest.raises(ConfigurationError, match="known: F32"):
        quantize(narrow, tmp_path / "out.gguf", "Q9")
    for file, words in (("cut.gguf", "cannot load"), ("lora.gguf", "cannot load"), ("q8.gguf", "requantizing")):
        with pytest.raises(ModelRefused, match=words):
            quantize(tmp_path / file, tmp_path / "out.gguf", "Q4_0")
    assert not (tmp_path / "out.gguf").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_is_named_and_the_old_file_kept(wide: Path, tmp_path: Path) -> None:
    """Where the disk takes no more (here: a limit on file size), the error says so and the old file stays."""
    (tmp_path / "out.gguf").write_bytes(b"old")
    code = (
        "import sys; from pathlib import Path;"
        "from credit_signals.tuning.conversion.quantization import quantize;"
        "quantize(Path(sys.argv[1]), Path(sys.argv[2]), 'Q8_0')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(wide), str(tmp_path / "out.gguf")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "File too large" in done.stderr.splitlines()[-1]
    assert (tmp_path / "out.gguf").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.gguf"]
