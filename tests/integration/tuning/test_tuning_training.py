"""A whole training run in small: a random encoder learns two words apart."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("transformers", reason="training needs the extra `tune`")
pytest.importorskip("sklearn", reason="training needs the extra `tune`")

from credit_signals.inference.formats import SignalHeads  # noqa: E402
from credit_signals.tuning.centring import centre  # noqa: E402
from credit_signals.tuning.fit import FitSettings  # noqa: E402
from credit_signals.tuning.keeping import KeptTexts  # noqa: E402
from credit_signals.tuning.signals import Sources, train_signals  # noqa: E402

TEXTS = ("the shop", "we are open", "closed today", "the shop closed", "open today", "we are closed")
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


def test_an_encoder_trained_in_full_keeps_what_it_makes_of_other_texts(
    base: Path, teacher: Path, tmp_path: Path
) -> None:
    """Its folder is written for conversion; texts that are to be kept stay nearer than they do unguarded."""
    from transformers import BertModel

    near = {}
    for name, kept in (("kept", TEXTS), ("free", ())):
        sources = Sources((teacher,), base, tmp_path / name, kept=kept)
        figures = train_signals(sources, FitSettings(epochs=4, rank=0, rate=5e-3, full_rate=1e-3, threads=1))
        assert figures["signals"]["micro_f1"] > 0.95
        assert not list((tmp_path / name).glob("*.gguf"))
        trained = BertModel.from_pretrained(tmp_path / name / "encoder", add_pooling_layer=False).eval()
        near[name] = KeptTexts(base, TEXTS, seed=1).nearness(trained)
        assert (tmp_path / name / "encoder/tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()
    assert near["kept"] > 0.95
    assert near["kept"] > near["free"]


def test_a_centred_encoder_finds_unrelated_texts_unlike(base: Path) -> None:
    """Before, any two texts are alike; after, their mean embedding is nothing, and nothing else has changed."""
    before = centre(base, TEXTS)
    after = centre(base, TEXTS)
    assert before > 0.1
    assert abs(after) < 1e-3
