"""Causal models of Llama's architecture: grouped queries, rotary positions, tied or own output embeddings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.architecture import Target
from credit_signals.tuning.conversion.bpe import write_tokenizer
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.tensor_files import Floats

DEFAULT_THETA = 10000.0


@dataclass(frozen=True, slots=True)
class Llama:
    """See Architecture. `pre` names llama.cpp's pre-tokenizer when it cannot be told from the tokenizer."""

    source: SourceModel
    pre: str = ""

    @property
    def name(self) -> str:
        """llama.cpp's name."""
        return "llama"

    @property
    def _tied(self) -> bool:
        return bool(self.source.config.get("tie_word_embeddings", False))

    @property
    def _heads(self) -> tuple[int, int, int]:
        """Query heads, key heads, and the width of a head. Raises ModelRefused when they do not fit together."""
        number = self.source.number
        queries = int(number("num_attention_heads"))
        keys = int(number("num_key_value_heads", queries))
        width = int(number("hidden_size"))
        head = int(number("head_dim", width // max(queries, 1)))
        if not queries or not keys or queries % keys or not head or head % 2:
            raise ModelRefused(f"{self.source.place}/config.json: {queries} heads, {keys} key heads of {head} columns")
        return queries, keys, head

    def canonical(self, name: str) -> str | None:
        """The name itself; None for rotary tables and a tied output's copy."""
        unneeded = name.endswith("rotary_emb.inv_freq") or (self._tied and name == "lm_head.weight")
        return None if unneeded else name

    def layout(self) -> Mapping[str, Target]:
        """Every tensor of the model."""
        number, config = self.source.number, self.source.config
        width, inner = int(number("hidden_size")), int(number("intermediate_size"))
        vocabulary = int(number("vocab_size"))
        queries, keys, head = self._heads
        layout = {
            "model.embed_tokens.weight": Target("token_embd.weight", (vocabulary, width)),
            "model.norm.weight": Target("output_norm.weight", (width,)),
        }
        if not self._tied:
            layout["lm_head.weight"] = Target("output.weight", (vocabulary, width))
        for layer in range(int(number("num_hidden_layers"))):
            for path, short, shape, heads in (
                ("self_attn.q_proj", "attn_q", (queries * head, width), queries),
                ("self_attn.k_proj", "attn_k", (keys * head, width), keys),
                ("self_attn.v_proj", "attn_v", (keys * head, width), 0),
                ("self_attn.o_proj", "attn_output", (width, queries * head), 0),
                ("mlp.gate_proj", "ffn_gate", (inner, width), 0),
                ("mlp.up_proj", "ffn_up", (inner, width), 0),
                ("mlp.down_proj", "ffn_down", (width, inner), 0),
            ):
                stem = f"model.layers.{layer}.{path}"
                layout[f"{stem}.weight"] = Target(f"blk.{layer}.{short}.weight", shape, heads)
                if config.get("attention_bias" if path.startswith("self") else "mlp_bias"):
                    layout[f"{stem}.bias"] = Target(f"blk.{layer}.{short}.bias", shape[:1], heads)
            for path, short in (("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm")):
                layout[f"model.layers.{layer}.{path}.weight"] = Target(f"blk.{layer}.{short}.weight", (width,))
        return layout

    def _rotation(self) -> tuple[float, dict[str, Any]]:
        """The base of the rotary angles, and the scaling. Newer configurations keep both in `rope_parameters`."""
        config = self.source.config
        scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
        theta = scaling.get("rope_theta", config.get("rope_theta", DEFAULT_THETA))
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        if kind not in ("default", "llama3") or scaling.get("partial_rotary_factor", 1.0) != 1.0:
            raise ModelRefused(f"{self.source.place}/config.json: rotary positions of type {kind!r} are not converted")
        return float(theta), scaling if kind == "llama3" else {}

    def computed(self) -> Mapping[str, Floats]:
        """The divisors of the rotary angles of Llama 3.1 and later (transformers, modeling_rope_utils)."""
        theta, scaling = self._rotation()
        if not scaling:
            return {}
        head = self._heads[2]
        try:
            factor, low, high, length = (
                float(scaling[key])
                for key in ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise ModelRefused(f"{self.source.place}/config.json: rope parameters lack {exc}") from exc
        waves = 2 * math.pi * theta ** (np.arange(0, head, 2, dtype=np.float64) / head)
        smooth = (length / waves - low) / (high - low)
        between = 1 / ((1 - smooth) / factor + smooth)
        divisors = np.where(waves < length / high, 1.0, np.where(waves > length / low, factor, between))
        return {"rope_freqs.weight": divisors.astype(np.float32)}

    def write_metadata(self, writer: Any) -> None:
        """Shape and tokenizer. Raises ModelRefused for what llama.cpp would compute otherwise."""
        number, config = self.source.number, self.source.config
        if config.get("hidden_act", "silu") != "silu":
            raise ModelRefused(f"{self.source.place}/config.json: activation {config['hidden_act']!r}, not silu")
        queries, keys, head = self._heads
        writer.add_context_length(int(number("max_position_embeddings")))
        writer.add_embedding_length(int(number("hidden_size")))
        writer.add_block_count(int(number("num_hidden_layers")))
        writer.add_feed_forward_length(int(number("intermediate_size")))
        writer.add_head_count(queries)
        writer.add_head_count_kv(keys)
        writer.add_key_length(head)
        writer.add_value_length(head)
        writer.add_rope_dimension_count(head)
        writer.add_rope_freq_base(self._rotation()[0])
        writer.add_layer_norm_rms_eps(float(number("rms_norm_eps", 1e-6)))
        writer.add_vocab_size(int(number("vocab_size")))
        write_tokenizer(writer, self.source, self.pre)
