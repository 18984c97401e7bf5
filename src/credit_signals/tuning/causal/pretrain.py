"""Pre-training of the project's own small reader: Llama's architecture, packed text, a budget of minutes or steps."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.causal.texts import END, Corpus, Tokens, make_corpus, read_texts, train_tokenizer

logger = logging.getLogger(__name__)

ROW = 256  # K-quants of llama.cpp need rows of a multiple of this
HEAD = 32  # width of an attention head
SHARED = 4  # query heads that share a key head
CHECKPOINT = "checkpoint.pt"
MODEL = "model"  # folder of the trained model and its tokenizer
FEWEST_BLOCKS = 4
CHANGEABLE = {"minutes", "threads", "every", "measured_blocks"}


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """Shape of the model and how it is trained. `steps` 0: as many as `minutes` allow."""

    width: int = 256
    layers: int = 6
    vocabulary: int = 8192
    context: int = 512
    batch: int = 8  # blocks of `context` tokens in a step
    rate: float = 2e-3
    warmup: float = 0.03  # share of the budget
    minutes: float = 30.0
    steps: int = 0
    every: int = 50  # steps between measurements and checkpoints
    measured_blocks: int = 32  # held-out blocks in a measurement on the way; at the end all
    seed: int = 1
    threads: int = 1


@dataclass(slots=True)
class _Run:
    """What a checkpoint holds."""

    model: Any
    optimizer: Any
    step: int
    seconds: float  # trained so far, in all runs
    curve: list[dict[str, float]]


def pretrain(
    paths: Sequence[Path],
    out: Path,
    settings: PretrainSettings,
    questions: Path | None = None,
    after_step: Callable[[int], None] = lambda _step: None,
) -> dict[str, Any]:
    """Train tokenizer and model on texts, go on from the checkpoint in `out` if there is one, and write out/model.

    Gives the run card (also out/run.json): settings, hash of the texts, size, curve and held-out bits per byte.
    A checkpoint of other settings or texts raises ConfigurationError.
    """
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    card = _card(paths, settings, questions)
    _require_same_run(out, card)
    texts = list(read_texts(paths))
    tokenizer = _tokenizer(texts, out, settings, questions)
    corpus = make_corpus(texts, tokenizer)
    if min(len(corpus.train) // FEWEST_BLOCKS, len(corpus.held_out)) <= settings.context:
        raise ConfigurationError(f"{len(texts)} texts are too little for blocks of {settings.context} tokens")
    run = _start(out, make_model(settings, tokenizer.convert_tokens_to_ids(END)).to(device), settings)
    logger.info("%d parameters, %d tokens", run.model.num_parameters(), len(corpus.train))
    _train(run, corpus, settings, out, after_step)
    run.model.save_pretrained(out / MODEL)
    bits = held_out_bits(run.model, corpus, settings.context)
    card |= {
        "parameters": run.model.num_parameters(),
        "tokens_seen": run.step * settings.batch * settings.context,
        "corpus_tokens": len(corpus.train),
        "seconds": round(run.seconds, 1),
        "bits_per_byte": round(bits, 4),
        "curve": run.curve,
    }
    (out / "run.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def make_model(settings: PretrainSettings, end: int) -> LlamaForCausalLM:
    """A Llama model with random weights: grouped keys, input and output embeddings shared.

    Raises ConfigurationError when the width is not a multiple of 256.
    """
    if settings.width % ROW or settings.width <= 0:
        raise ConfigurationError(f"a width of {settings.width}: it must be a multiple of {ROW}")
    heads = settings.width // HEAD
    config = LlamaConfig(
        vocab_size=settings.vocabulary,
        hidden_size=settings.width,
        intermediate_size=3 * settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // SHARED,
        head_dim=HEAD,
        max_position_embeddings=max(2048, settings.context),
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=None,  # END is learned: as padding token its embedding would get no gradient
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def _card(paths: Sequence[Path], settings: PretrainSettings, questions: Path | None) -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(path.read_bytes())
        except OSError as exc:
            raise ConfigurationError(f"text file {path} cannot be read: {exc.strerror}") from exc
    return {
        "kind": "pretrain",
        "texts": [path.name for path in paths],
        "texts_sha256": digest.hexdigest(),
        "questions": questions.name if questions else "",
        "settings": dataclasses.asdict(settings),
    }


def _require_same_run(out: Path, card: dict[str, Any]) -> None:
    """A run goes on only with what shaped it so far; its budget and how often it is measured may change."""
    path = out / "started.json"
    started = dict(card, settings={name: v for name, v in card["settings"].items() if name not in CHANGEABLE})
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != started:
        raise ConfigurationError(f"{out} holds a run of other texts or settings: choose another folder")
    path.write_text(json.dumps(started, indent=1), encoding="utf-8")


def _tokenizer(texts: Sequence[str], out: Path, settings: PretrainSettings, questions: Path | None) -> Any:
    if not (out / MODEL / "tokenizer.json").exists():
        train_tokenizer(texts, settings.vocabulary, questions).save_pretrained(out / MODEL)
    tokenizer = AutoTokenizer.from_pretrained(out / MODEL)
    if len(tokenizer) > settings.vocabulary:
        raise ConfigurationError(f"{out}: {len(tokenizer)} tokens do not fit a vocabulary of {settings.vocabulary}")
    return tokenizer


def _start(out: Path, model: Any, settings: PretrainSettings) -> _Run:
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.95))
    run = _Run(model, optimizer, 0, 0.0, [])
    path = out / CHECKPOINT
    if path.exists():
        saved = torch.load(path, weights_only=True, map_location=model.device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        run.step, run.seconds, run.curve = saved["step"], saved["seconds"], saved["curve"]
        logger.info("going on from step %d", run.step)
    return run


def _train(run: _Run, corpus: Corpus, settings: PretrainSettings, out: Path, after_step: Callable[[int], None]) -> None:
    began = time.monotonic() - run.seconds
    losses: list[float] = []
    while (done := _progress(run, settings)) < 1.0:
        for group in run.optimizer.param_groups:
            group["lr"] = settings.rate * schedule(done, settings.warmup)
        loss = _loss(run.model, draw_blocks(corpus.train, settings, run.step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
        run.optimizer.step()
        run.optimizer.zero_grad(set_to_none=True)
        run.step += 1
        run.seconds = time.monotonic() - began
        losses.append(float(loss.detach()))
        if run.step % settings.every == 0:
            _measure(run, corpus, settings, sum(losses) / len(losses))
            losses.clear()
            _save(run, out)
        after_step(run.step)
    _save(run, out)


def _progress(run: _Run, settings: PretrainSettings) -> float:
    return run.step / settings.steps if settings.steps else run.seconds / (60 * settings.minutes)


def schedule(done: float, warmup: float) -> float:
    """The learning rate's share of its peak when `done` of the budget is spent: a rise, then a cosine down to a tenth.

    The share never is 0, so that the first step moves.
    """
    if done < warmup:
        return max(done / warmup, 0.01)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup)))


def draw_blocks(tokens: Tokens, settings: PretrainSettings, step: int) -> Any:
    """The blocks of a step, [batch, context + 1]: they depend on seed and step alone, so a resumed run sees the same.

    Every pass over the text starts at another offset and takes its blocks in another order.
    """
    count = (len(tokens) - settings.context - 1) // settings.context
    rows = []
    for number in range(step * settings.batch, (step + 1) * settings.batch):
        turn, place = divmod(number, count)
        dice = np.random.default_rng((settings.seed, turn))
        offset = int(dice.integers(settings.context))
        start = offset + int(dice.permutation(count)[place]) * settings.context
        rows.append(tokens[start : start + settings.context + 1].astype(np.int64))
    return torch.from_numpy(np.stack(rows))


def _loss(model: Any, blocks: Any, reduction: str = "mean") -> Any:
    blocks = blocks.to(model.device)
    with torch.autocast(model.device.type, dtype=torch.bfloat16):
        logits = model(input_ids=blocks[:, :-1]).logits
    return functional.cross_entropy(logits.float().flatten(0, 1), blocks[:, 1:].flatten(), reduction=reduction)


def held_out_bits(model: Any, corpus: Corpus, context: int, most: int = 0) -> float:
    """Bits per byte of the held-out text, `most` blocks of it or all (0). Lower is better; 8 is knowing nothing."""
    starts = range(0, len(corpus.held_out) - context - 1, context)
    model.eval()
    nats, count = 0.0, 0
    with torch.inference_mode():
        for start in starts[: most or len(starts)]:
            block = torch.from_numpy(corpus.held_out[start : start + context + 1].astype(np.int64))[None]
            nats += float(_loss(model, block, "sum"))
            count += context
    model.train()
    bytes_per_token = corpus.held_out_bytes / len(corpus.held_out)
    return nats / count / math.log(2) / bytes_per_token


def _measure(run: _Run, corpus: Corpus, settings: PretrainSettings, loss: float) -> None:
    bits = held_out_bits(run.model, corpus, settings.context, settings.measured_blocks)
    run.curve.append({"step": run.step, "loss": round(loss, 4), "bits_per_byte": round(bits, 4)})
    speed = run.step * settings.batch * settings.context / max(run.seconds, 1e-9)
    done = _progress(run, settings)
    left = run.seconds / done * (1 - done) / 60 if done else math.inf
    logger.info(
        "step %d: loss %.3f, held out %.3f bits a byte, %.0f tokens/s, %.0f min left", run.step, loss, bits, speed, left
    )


def _save(run: _Run, out: Path) -> None:
    """Written beside and renamed, so that a killed run leaves the checkpoint before."""
    state = {
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "step": run.step,
        "seconds": run.seconds,
        "curve": run.curve,
    }
    torch.save(state, out / f"{CHECKPOINT}.new")
    (out / f"{CHECKPOINT}.new").replace(out / CHECKPOINT)
