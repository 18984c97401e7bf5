"""Fine-tuning of a very small model on a toy task."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tuning.causal.toy_reader import QUESTIONS, toy_sentences

from credit_signals.errors import ConfigurationError
from credit_signals.inference.questions import load_questions

pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("trl", reason="training needs the extra `tune`")

import torch
from safetensors.torch import load_file
from transformers import TrainerCallback

from credit_signals.tuning.causal.answering import examine
from credit_signals.tuning.causal.fine_tune import CausalSettings, CausalSources, fine_tune

FULL = CausalSettings(rank=0, epochs=6, rate=2e-3, batch=8, every=15, bf16=False, patience=50)


class StopAt(TrainerCallback):  # type: ignore[misc]  # transformers is not there when types are checked
    """Interrupts as a keyboard does."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Interrupt."""
        if state.global_step == self._step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def trained(tiny_base: Path, toy_rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in full."""
    out = tmp_path_factory.mktemp("full") / "out"
    fine_tune(CausalSources(tiny_base, toy_rows, out, QUESTIONS), FULL)
    return out


def test_a_model_learns_the_toy_task(trained: Path) -> None:
    """The loss falls, and sentences never seen are read right, asked as the reader asks."""
    card = json.loads((trained / "run.json").read_text())
    losses = [point["eval_loss"] for point in card["curve"] if "eval_loss" in point]
    assert losses[-1] < losses[0] / 2
    assert card["test"]["right_answers"] > 0.8
    unseen = [sentence for sentence in toy_sentences(400)[150:] if sentence.split(1) == "test"]
    figures = examine(trained / "merged", QUESTIONS, unseen)
    assert figures["micro_f1"] > 0.9
    assert figures["stance_accuracy"] == figures["subject_accuracy"] == 1.0


def test_the_run_card_tells_where_the_model_is_from(trained: Path, toy_rows: Path) -> None:
    """Base, data, template, settings, curve and best step are kept beside the weights, and the curve is drawn."""
    card = json.loads((trained / "merged" / "run.json").read_text())
    assert card["template_sha256"] == load_questions(QUESTIONS).template.sha256
    assert card["settings"] == dataclasses.asdict(FULL)
    assert {"base_sha256", "data_sha256", "best_step", "rows"} <= set(card)
    curve = [json.loads(line) for line in (trained / "curve.jsonl").read_text().splitlines()]
    assert [point for point in card["curve"] if "eval_loss" in point] == [p for p in curve if "eval_loss" in p]
    assert "<svg" in (trained / "curve.svg").read_text()
    assert {tensor.dtype for tensor in load_file(trained / "merged" / "model.safetensors").values()} == {torch.bfloat16}


def test_a_resumed_run_is_the_same_as_an_uninterrupted_one(
    trained: Path, tiny_base: Path, toy_rows: Path, tmp_path: Path
) -> None:
    """A killed training loses its last steps only, and ends with the same weights and the same curve."""
    sources = CausalSources(tiny_base, toy_rows, tmp_path / "out", QUESTIONS)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(sources, FULL, [StopAt(17)])
    card = fine_tune(sources, FULL)
    assert card["curve"] == json.loads((trained / "run.json").read_text())["curve"]
    one, other = (load_file(folder / "merged" / "model.safetensors") for folder in (trained, tmp_path / "out"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_lora_trains_the_adapter_only(tiny_base: Path, toy_rows: Path, tmp_path: Path) -> None:
    """The adapter folder holds low-rank weights only, and the merged model is the base plus these."""
    settings = dataclasses.replace(FULL, rank=4, epochs=1)
    before = load_file(tiny_base / "model.safetensors")
    card = fine_tune(CausalSources(tiny_base, toy_rows, tmp_path / "out", QUESTIONS), settings)
    adapter = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    assert all(".lora_A." in name or ".lora_B." in name for name in adapter)
    assert card["trained_parameters"] == sum(tensor.numel() for tensor in adapter.values())
    merged = load_file(tmp_path / "out" / "merged" / "model.safetensors")
    query = "model.layers.0.self_attn.q_proj"
    low, high = (adapter[f"base_model.model.{query}.lora_{part}.weight"] for part in "AB")
    torch.testing.assert_close(
        merged[f"{query}.weight"].float(), before[f"{query}.weight"] + 2 * high @ low, atol=2e-3, rtol=1e-2
    )
    assert torch.equal(merged["model.embed_tokens.weight"], before["model.embed_tokens.weight"].bfloat16())


def test_it_stops_when_the_validation_loss_no_longer_falls(tiny_base: Path, toy_rows: Path, tmp_path: Path) -> None:
    """A run whose validation loss rises ends early and keeps its best step."""
    settings = dataclasses.replace(FULL, rate=0.3, every=2, patience=2, epochs=20)
    card = fine_tune(CausalSources(tiny_base, toy_rows, tmp_path / "out", QUESTIONS), settings)
    losses = {point["step"]: point["eval_loss"] for point in card["curve"] if "eval_loss" in point}
    assert card["steps"] < 20 * 10
    assert card["best_step"] == min(losses, key=lambda step: losses[step])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"four_bit": True, "rank": 0}, "adapter"),
        ({"four_bit": True, "rank": 4}, "needs a GPU"),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_four_bit_is_refused_without_a_gpu(
    tiny_base: Path, toy_rows: Path, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    """QLoRA without a GPU ends with a sentence, not deep in a library."""
    with pytest.raises(ConfigurationError, match=told):
        fine_tune(CausalSources(tiny_base, toy_rows, tmp_path / "out", QUESTIONS), CausalSettings(**change))


def test_a_folder_of_another_run_is_refused(trained: Path, tiny_base: Path, toy_rows: Path) -> None:
    """Checkpoints of other settings are never gone on from."""
    other = dataclasses.replace(FULL, rate=1e-3)
    with pytest.raises(ConfigurationError, match="another folder"):
        fine_tune(CausalSources(tiny_base, toy_rows, trained, QUESTIONS), other)


def test_questions_must_be_those_of_the_rows(tiny_base: Path, toy_rows: Path, tmp_path: Path) -> None:
    """Rows that ask otherwise than the folder named for serving are refused before any training."""
    other = Path("workers/section_reader/questions")
    with pytest.raises(ConfigurationError, match="not asked as the questions"):
        fine_tune(CausalSources(tiny_base, toy_rows, tmp_path / "a", other), FULL)
    with pytest.raises(ConfigurationError, match="name the folder"):
        fine_tune(CausalSources(tiny_base, toy_rows, tmp_path / "b"), FULL)
