"""Supervised fine-tuning of any Hugging Face causal model with trl: low-rank (peft), 4-bit on a GPU, or in full."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    set_seed,
)
from transformers.trainer_pt_utils import DistributedLengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils.logging import disable_progress_bar
from trl import SFTConfig, SFTTrainer

from credit_signals.errors import ConfigurationError
from credit_signals.inference.model_file import file_hash
from credit_signals.tuning.causal.encoding import collate
from credit_signals.tuning.causal.examples import make_examples
from credit_signals.tuning.causal.progress import PICTURE, ShowProgress, curve_of, plot_curve
from credit_signals.tuning.causal.template import template_hash
from credit_signals.tuning.chat import ChatRow, read_rows
from credit_signals.tuning.teacher import Split

ADAPTER = "adapter"  # PEFT's folder
MERGED = "merged"  # the whole model in 16 bit
CARD = "run.json"
CHECKPOINTS = "checkpoints"
HASHED = ("config.json", "tokenizer.json", "*.safetensors", "*.bin")


@dataclass(frozen=True, slots=True)
class CausalSettings:
    """How to fine-tune. `rank` 0 trains the whole model; `batch` counts texts, each with its questions."""

    rank: int = 16
    four_bit: bool = False
    epochs: float = 3.0
    rate: float = 2e-4
    batch: int = 16
    longest: int = 1024  # tokens of a text with its questions
    warmup: float = 0.05  # share of the steps
    every: int = 0  # steps between measurements, each a checkpoint; 0: four an epoch
    patience: int = 4  # measurements without a better validation loss before it stops
    bf16: bool = True
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, slots=True)
class CausalSources:
    """What is trained, on what, by which questions, and where it goes."""

    base: Path  # folder of a Hugging Face model
    data: Path  # JSON Lines of chats
    out: Path
    questions: Path | None = None  # folder; needed when rows ask the product's questions


def fine_tune(
    sources: CausalSources, settings: CausalSettings, callbacks: Sequence[TrainerCallback] = ()
) -> dict[str, Any]:
    """Train on the train split until the validation loss no longer falls, and keep the best step.

    Goes on from the last checkpoint in `out`. Writes out/adapter (unless the whole model is trained), out/merged in
    bfloat16, out/curve.jsonl, out/curve.svg and out/run.json, the run card, which is also given. Raises
    ConfigurationError when base, data or settings do not fit each other or those of the run that `out` holds.
    """
    _require_possible(sources, settings)
    disable_progress_bar()
    torch.set_num_threads(settings.threads)
    set_seed(settings.seed)
    rows = read_rows(sources.data)
    tokenizer = AutoTokenizer.from_pretrained(sources.base)
    card = _card(sources, settings, rows, tokenizer)
    _require_same_run(sources.out, card)
    model = _load(sources.base, settings)
    examples = make_examples(rows, tokenizer, model, sources.base, settings.longest)
    trainer = _trainer(model, tokenizer, examples, sources.out, settings)
    trainer.remove_callback(PrinterCallback)  # ShowProgress tells more with less
    for callback in (ShowProgress(sources.out), *callbacks):
        trainer.add_callback(callback)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(sources.out / CHECKPOINTS)))
    card["trained_parameters"] = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    card["parameters"] = sum(p.numel() for p in trainer.model.parameters())
    if "test" in examples:
        trainer.remove_callback(EarlyStoppingCallback)
        figures = trainer.evaluate(examples["test"], metric_key_prefix="test")
        card["test"] = {
            "loss": round(figures["test_loss"], 4),
            "right_answers": round(figures["eval_mean_token_accuracy"], 4),
        }
    history = [entry for entry in trainer.state.log_history if "test_loss" not in entry]
    card |= {
        "steps": trainer.state.global_step,
        "best_step": trainer.state.best_global_step,
        "best_validation_loss": trainer.state.best_metric,
        "curve": curve_of(history),
    }
    _write(trainer.model, tokenizer, sources, settings, card)
    return card


def _require_possible(sources: CausalSources, settings: CausalSettings) -> None:
    if not (sources.base / "config.json").is_file():
        raise ConfigurationError(f"{sources.base}: no Hugging Face model (config.json is missing)")
    if settings.four_bit and not settings.rank:
        raise ConfigurationError("a model in 4 bit can only be trained with an adapter: give it a rank")
    if settings.four_bit and not torch.cuda.is_available():
        raise ConfigurationError("training in 4 bit (QLoRA) needs a GPU, and there is none: train with LoRA instead")
    if settings.four_bit:
        try:
            import bitsandbytes  # noqa: F401, PLC0415  # only here is it needed
        except ImportError as exc:
            raise ConfigurationError("training in 4 bit (QLoRA) needs the package bitsandbytes") from exc


def _card(sources: CausalSources, settings: CausalSettings, rows: Sequence[ChatRow], tokenizer: Any) -> dict[str, Any]:
    digest = hashlib.sha256()
    for pattern in HASHED:
        for file in sorted(sources.base.glob(pattern)):
            digest.update(file_hash(file).encode())
    return {
        "kind": "causal",
        "base": sources.base.resolve().name,
        "base_sha256": digest.hexdigest(),
        "data": sources.data.name,
        "data_sha256": file_hash(sources.data),
        "template_sha256": template_hash(rows, sources.questions, tokenizer.chat_template),
        "rows": {split: sum(row.split == split for row in rows) for split in ("train", "validation", "test")},
        "settings": dataclasses.asdict(settings),
    }


def _require_same_run(out: Path, card: dict[str, Any]) -> None:
    """A checkpoint means nothing under other data or settings."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "started.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != card:
        raise ConfigurationError(f"{out} holds a run of another base, data or settings: choose another folder")
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def _load(base: Path, settings: CausalSettings) -> Any:
    """Attention is torch's own: it takes the mask that lays questions side by side."""
    options: dict[str, Any] = {"attn_implementation": "sdpa", "dtype": torch.float32}
    if torch.cuda.is_available() and settings.rank:
        options["dtype"] = torch.bfloat16
    if settings.four_bit:
        from transformers import BitsAndBytesConfig  # noqa: PLC0415  # only with a GPU

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        return AutoModelForCausalLM.from_pretrained(base, **options)
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{base}: not a causal model that transformers can load: {exc}") from exc


class _Trainer(SFTTrainer):  # type: ignore[misc]  # trl is not there when types are checked
    """Batches of similar length, so that little is padding, in an order that depends on seed and epoch alone.

    The trainer's own grouping draws from the global generator, and a resumed run would see another order.
    """

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Any:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        return DistributedLengthGroupedSampler(
            self.args.train_batch_size * self.args.gradient_accumulation_steps,
            num_replicas=1,
            rank=0,
            seed=self.args.seed,
            lengths=list(dataset["length"]),
        )


def _trainer(
    model: Any, tokenizer: Any, examples: dict[Split, Dataset], out: Path, settings: CausalSettings
) -> SFTTrainer:
    steps = math.ceil(len(examples["train"]) / settings.batch)
    every = min(settings.every or max(1, steps // 4), math.ceil(steps * settings.epochs))  # at least once
    gpu = torch.cuda.is_available()
    config = SFTConfig(
        output_dir=str(out / CHECKPOINTS),
        num_train_epochs=settings.epochs,
        learning_rate=settings.rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(settings.warmup * steps * settings.epochs),
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        weight_decay=0.01,
        max_grad_norm=1.0,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,  # the best and the last
        logging_steps=max(1, every // 4),
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        restore_callback_states_from_checkpoint=True,  # early stopping remembers its patience
        prediction_loss_only=True,
        bf16=settings.bf16,
        use_cpu=not gpu,
        activation_checkpointing=gpu,
        max_length=None,  # examples are cut already
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        dataloader_pin_memory=gpu,
        report_to="none",
        disable_tqdm=True,
        seed=settings.seed,
        data_seed=settings.seed,
    )
    adapter = LoraConfig(
        r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    padding = next(t for t in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if t is not None)
    return _Trainer(
        model=model,
        args=config,
        data_collator=functools.partial(collate, padding=padding),
        train_dataset=examples["train"],
        eval_dataset=examples["validation"],
        processing_class=tokenizer,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
        peft_config=adapter if settings.rank else None,
    )


def _write(model: Any, tokenizer: Any, sources: CausalSources, settings: CausalSettings, card: dict[str, Any]) -> None:
    """An adapter is merged into its base in the base's own precision: a base in 4 bit is read again for it."""
    out = sources.out
    if settings.rank:
        model.save_pretrained(out / ADAPTER)
        base = AutoModelForCausalLM.from_pretrained(sources.base, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, out / ADAPTER).merge_and_unload()
    model.to(torch.bfloat16).save_pretrained(out / MERGED)
    tokenizer.save_pretrained(out / MERGED)
    plot_curve(out / PICTURE, card["curve"], f"{card['base']} on {card['data']}")
    text = json.dumps(card, indent=1) + "\n"
    (out / CARD).write_text(text, encoding="utf-8")
    (out / MERGED / CARD).write_text(text, encoding="utf-8")  # goes with the weights wherever they are copied
