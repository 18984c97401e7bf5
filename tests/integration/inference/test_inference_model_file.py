"""Damaged and foreign model files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from reader_samples import SHIPPED, sha256, write_small_encoder

from credit_signals.errors import ModelRefused, ReadFailed
from credit_signals.inference import model_file
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.llama import Context, ContextOptions, Model, Segment
from credit_signals.inference.model_file import check_file, check_model, try_loading
from credit_signals.inference.opening import open_reader


def flipped(path: Path, target: Path, place: int) -> Path:
    """A copy with one bit changed."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("place", [0, 5, 100, 3000, -1])
def test_a_flipped_bit_is_refused(tiny_llama: Path, tmp_path: Path, place: int) -> None:
    """One changed bit anywhere is noticed, and the message names the file and both sums."""
    damaged = flipped(tiny_llama, tmp_path / "damaged.gguf", place)
    with pytest.raises(ModelRefused) as refusal:
        check_model(damaged, sha256(tiny_llama))
    assert all(part in str(refusal.value) for part in (str(damaged), sha256(tiny_llama), sha256(damaged)))


@pytest.mark.parametrize("length", [0, 3, 24, 5000, -1])
def test_a_truncated_file_is_refused_even_with_its_own_sum(tiny_llama: Path, tmp_path: Path, length: int) -> None:
    """A file that was cut before its sum was taken is refused by the trial load."""
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_llama.read_bytes()[:length])
    with pytest.raises(ModelRefused, match=r"cut\.gguf"):
        check_model(cut, sha256(cut))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path without a file is named."""
    with pytest.raises(ModelRefused, match=r"nowhere\.gguf"):
        check_file(tmp_path / "nowhere.gguf", "0" * 64)
    with pytest.raises(ModelRefused, match=r"nowhere\.gguf"):
        Model(tmp_path / "nowhere.gguf")


def test_a_file_that_aborts_llama_cpp_is_refused(tiny_llama: Path, tmp_path: Path) -> None:
    """Whatever a damaged header does to the child process, this one gets ModelRefused or a model that loads."""
    data = tiny_llama.read_bytes()
    place = data.index(b"llama.block_count") + len("llama.block_count") + 4
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :])
    with pytest.raises(ModelRefused, match=r"damaged\.gguf"):
        try_loading(damaged)


def test_a_causal_model_is_no_encoder(tiny_llama: Path) -> None:
    """A model of another architecture is refused before it aborts the process."""
    with pytest.raises(ModelRefused, match="not a BERT encoder"):
        Encoder(tiny_llama)


def test_an_encoder_with_damaged_heads_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    """A heads file that does not have its sum is named."""
    manifest = write_small_encoder(tmp_path, encoder)
    flipped(tmp_path / "heads.npz", tmp_path / "heads.npz", -1)
    with pytest.raises(ModelRefused, match=r"heads\.npz"):
        open_reader(manifest)


def test_an_adapter_of_another_model_is_refused(tiny_llama: Path) -> None:
    """A file that is no adapter for the model is refused."""
    with pytest.raises(ModelRefused, match="adapter"):
        Encoder(SHIPPED, tiny_llama)


@pytest.mark.parametrize(
    "segments",
    [
        [],
        [Segment([], (0,))],
        [Segment([1] * 65, (0,))],
        [Segment([1] * 33, (0,)), Segment([1] * 32, (1,))],
        [Segment([1], (2,))],
        [Segment([1], ())],
        [Segment([1024], (0,))],
        [Segment([-1], (0,))],
    ],
)
def test_a_batch_that_would_abort_is_refused(tiny_llama: Path, segments: list[Segment]) -> None:
    """Batches that are empty, too long, of unknown sequences or of unknown tokens raise and leave the process alive."""
    with Model(tiny_llama) as model:
        context = Context(model, ContextOptions(tokens=64, sequences=2))
        with pytest.raises(ReadFailed):
            context.run(segments)
        assert context.run([Segment([1, 2], (0,), output=True)]) == 2
        context.close()


def test_the_trial_load_is_done_once(tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that loaded once is not tried again; where nothing can be written, it is tried each time."""
    tried: list[Path] = []
    monkeypatch.setattr(model_file, "try_loading", tried.append)
    monkeypatch.setattr(model_file.tempfile, "gettempdir", lambda: str(tmp_path))
    check_model(tiny_llama, sha256(tiny_llama))
    check_model(tiny_llama, sha256(tiny_llama).upper())
    assert len(tried) == 1
    monkeypatch.setattr(model_file.tempfile, "gettempdir", lambda: "/proc")
    check_model(tiny_llama, sha256(tiny_llama))
    check_model(tiny_llama, sha256(tiny_llama))
    assert len(tried) == 3


def test_llama_cpp_is_silent(tiny_llama: Path, tmp_path: Path) -> None:
    """Loading and refusing write nothing to the standard streams."""
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from credit_signals.errors import ModelRefused\n"
        "from credit_signals.inference.llama import Model, Context, ContextOptions\n"
        "m = Model(Path(sys.argv[1])); Context(m, ContextOptions(64, 1)).close(); m.close()\n"
        "try:\n    Model(Path(sys.argv[2]))\nexcept ModelRefused:\n    sys.exit(7)\n"
    )
    command = [sys.executable, "-c", code, str(tiny_llama), str(tmp_path / "bad.gguf")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"")
