"""Pre-training of a small model."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest

from credit_signals.errors import ConfigurationError

pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("transformers", reason="training needs the extra `tune`")

import torch
from safetensors.torch import load_file
from tests.unit.tuning.causal.toy_reader import QUESTIONS
from transformers import AutoModelForCausalLM, AutoTokenizer

from credit_signals.inference.questions import load_questions
from credit_signals.tuning.causal.pretrain import PretrainSettings, draw_blocks, make_model, pretrain, schedule
from credit_signals.tuning.causal.texts import make_corpus, plain_labels, read_texts, special_tokens, train_tokenizer

SMALL = PretrainSettings(layers=1, vocabulary=512, context=32, batch=4, rate=5e-3, steps=60, every=20)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentences of a small grammar."""
    dice = random.Random(1)
    words = [
        ["The firm", "A bank", "Our shop"],
        ["sold", "closed", "opened"],
        ["two plants.", "a store.", "an office."],
    ]
    path = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    lines = [" ".join(dice.choice(part) for part in words) + f" No {number}" for number in range(1200)]
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    return path


def test_it_learns_to_predict_text(texts: Path, tmp_path: Path) -> None:
    """Bits per byte of held-out text fall, and the folder is a model that transformers loads."""
    card = pretrain([texts], tmp_path / "out", SMALL)
    assert card["curve"][-1]["loss"] < card["curve"][0]["loss"]
    assert card["bits_per_byte"] < 2.0
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "model")
    assert model.config.architectures == ["LlamaForCausalLM"]
    assert model.config.tie_word_embeddings
    assert model.config.num_key_value_heads < model.config.num_attention_heads
    assert AutoTokenizer.from_pretrained(tmp_path / "out" / "model").decode([0]) == "<|end|>"


def test_a_resumed_pretraining_is_the_same(texts: Path, tmp_path: Path) -> None:
    """A killed run goes on from its checkpoint to the same weights."""

    def interrupt(step: int) -> None:
        if step == 33:
            raise KeyboardInterrupt

    pretrain([texts], tmp_path / "whole", SMALL)
    with pytest.raises(KeyboardInterrupt):
        pretrain([texts], tmp_path / "killed", SMALL, None, interrupt)
    pretrain([texts], tmp_path / "killed", SMALL)
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_minutes_end_a_run(texts: Path, tmp_path: Path) -> None:
    """Without a number of steps the clock ends the training, and the model is written all the same."""
    card = pretrain([texts], tmp_path / "out", dataclasses.replace(SMALL, steps=0, minutes=0.01))
    assert card["seconds"] >= 0.6
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()


def test_another_runs_folder_is_refused(texts: Path, tmp_path: Path) -> None:
    """A checkpoint of another shape is not gone on from."""
    short = dataclasses.replace(SMALL, steps=1)
    pretrain([texts], tmp_path / "out", short)
    with pytest.raises(ConfigurationError, match="another folder"):
        pretrain([texts], tmp_path / "out", dataclasses.replace(short, layers=2))


def test_the_tokenizer_knows_questions_and_labels_as_single_tokens(texts: Path) -> None:
    """One token a question and one an answer, however rare they are in the texts; other text survives a round trip."""
    tokenizer = train_tokenizer(read_texts([texts]), 1024, QUESTIONS)
    for text in (*special_tokens(QUESTIONS), *plain_labels(load_questions(QUESTIONS))):
        assert len(tokenizer(text)["input_ids"]) == 1, text
    assert tokenizer.decode(tokenizer("Größe: 5 €\n")["input_ids"]) == "Größe: 5 €\n"


@pytest.mark.parametrize("width", [0, 128, 300])
def test_widths_that_cannot_be_quantized_are_refused(width: int) -> None:
    """K-quants need rows of 256."""
    with pytest.raises(ConfigurationError, match="multiple of 256"):
        make_model(dataclasses.replace(SMALL, width=width), 0)


def test_a_tiny_vocabulary_is_refused(texts: Path) -> None:
    """Bytes and special tokens must fit."""
    with pytest.raises(ConfigurationError, match="vocabulary of 256"):
        train_tokenizer(read_texts([texts]), 256, QUESTIONS)


def test_a_line_without_text_is_named(tmp_path: Path) -> None:
    """The error names file and line."""
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a"}\n{"body": "b"}\n')
    with pytest.raises(ConfigurationError, match=r"texts\.jsonl, line 2"):
        list(read_texts([path]))


def test_held_out_text_is_never_trained_on(texts: Path) -> None:
    """Equal texts fall on the same side, and every token is on one side."""
    tokenizer = train_tokenizer(read_texts([texts]), 512, None)
    documents = list(read_texts([texts]))
    once, twice = make_corpus(documents, tokenizer), make_corpus(documents * 2, tokenizer)
    assert len(twice.train) == 2 * len(once.train)
    assert len(twice.held_out) == 2 * len(once.held_out)
    assert 0 < once.held_out_bytes < sum(len(text) for text in documents) / 10


def test_a_pass_shows_every_block_once(texts: Path) -> None:
    """Blocks of a pass do not repeat, and a step's blocks depend on its number alone."""
    tokenizer = train_tokenizer(read_texts([texts]), 512, None)
    tokens = make_corpus(read_texts([texts]), tokenizer).train
    count = (len(tokens) - SMALL.context - 1) // SMALL.context
    steps = [draw_blocks(tokens, SMALL, step) for step in range(count // SMALL.batch)]
    firsts = {tuple(block.tolist()) for step in steps for block in step}
    assert len(firsts) == len(steps) * SMALL.batch
    assert torch.equal(steps[3], draw_blocks(tokens, SMALL, 3))


def test_the_rate_rises_and_falls() -> None:
    """A short rise, then a cosine down to a tenth."""
    rates = [schedule(done / 100, 0.05) for done in range(100)]
    assert max(rates) == rates[5] == 1.0
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert 0 < rates[0] < 0.1 < rates[-1] < 0.11
