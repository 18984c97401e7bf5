"""A whole training run in small: a random encoder learns two words apart."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("transformers", reason="training needs the extra `tune`")
pytest.importorskip("sklearn", reason="training needs the extra `tune`")

from credit_signals.inference.formats import SignalHeads  # noqa: E402
from credit_signals.tuning.fit import FitSettings  # noqa: E402
from credit_signals.tuning.signals import Sources, train_signals  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "we", "are", "hiring", "closed", "the", "shop", "open", "today"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A one-layer encoder with random weights and a vocabulary of a few words."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "base"
    folder.mkdir()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=384, num_hidden_layers=1, num_attention_heads=4, intermediate_size=256
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)}).save_pretrained(folder)
    return folder


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """Sentences of which half say that the company recruits."""
    hiring = [{"code": "hiring", "stance": "ongoing", "subject": "company", "severity": 1}]
    rows = []
    for number in range(200):
        stated = number % 2 == 0
        text = f"we are {'hiring' if stated else 'open'} today " + "the shop " * (number % 7)
        rows.append(
            {
                "id": str(number),
                "lang": "en",
                "prev": f"closed {number}",
                "text": text,
                "signals": hiring if stated else [],
            }
        )
    path = tmp_path / "teacher.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_training_learns_measures_and_writes_what_readers_load(base: Path, teacher: Path, tmp_path: Path) -> None:
    """A run gives heads, an adapter and true figures."""
    sources = Sources((teacher,), base, tmp_path / "out")
    figures = train_signals(sources, FitSettings(epochs=8, rank=4, rate=5e-3, threads=1))
    assert figures["signals"]["micro_f1"] > 0.95
    heads = SignalHeads.load(tmp_path / "out/heads.npz")
    assert heads.width == 384
    assert (tmp_path / "out/section-signals.lora.gguf").stat().st_size > 10_000


def test_equal_seeds_give_equal_heads(base: Path, teacher: Path, tmp_path: Path) -> None:
    """Training is deterministic for a seed on one thread."""
    made = []
    for name in ("a", "b"):
        train_signals(Sources((teacher,), base, tmp_path / name), FitSettings(epochs=1, rank=4, threads=1))
        made.append(SignalHeads.load(tmp_path / name / "heads.npz").code_w)
    assert np.array_equal(made[0], made[1])
