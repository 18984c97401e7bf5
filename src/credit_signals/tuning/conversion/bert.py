"""BERT encoders with a WordPiece tokenizer, as llama.cpp's architecture `bert`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gguf

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.architecture import Target
from credit_signals.tuning.conversion.model_folder import SourceModel
from credit_signals.tuning.conversion.tensor_files import Floats

NORMS = {"attention.output.LayerNorm": "attn_output_norm", "output.LayerNorm": "layer_output_norm"}
BLOCKS = {  # linear layers of a block: these take low-rank adapters
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
}
ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
UNNEEDED = ("pooler.", "cls.", "classifier.")  # heads: embeddings need none


@dataclass(frozen=True, slots=True)
class Bert:
    """See Architecture."""

    source: SourceModel

    @property
    def name(self) -> str:
        """llama.cpp's name."""
        return "bert"

    def canonical(self, name: str) -> str | None:
        """The name without the prefix of models with a head; None for heads and position numbers."""
        bare = name.removeprefix("bert.")
        return None if bare.startswith(UNNEEDED) or bare == "embeddings.position_ids" else bare

    def layout(self) -> Mapping[str, Target]:
        """Every tensor of the model."""
        return bert_layout(self.source.number)

    def computed(self) -> Mapping[str, Floats]:
        """None."""
        return {}

    def write_metadata(self, writer: Any) -> None:
        """Shape and tokenizer. Raises ModelRefused for what llama.cpp would compute otherwise."""
        config, number = self.source.config, self.source.number
        if config.get("hidden_act") != "gelu" or config.get("position_embedding_type", "absolute") != "absolute":
            raise ModelRefused(f"{self.source.place}: only BERT with gelu and absolute positions can be converted")
        writer.add_block_count(int(number("num_hidden_layers")))
        writer.add_context_length(int(number("max_position_embeddings")))
        writer.add_embedding_length(int(number("hidden_size")))
        writer.add_feed_forward_length(int(number("intermediate_size")))
        writer.add_head_count(int(number("num_attention_heads")))
        writer.add_layer_norm_eps(float(number("layer_norm_eps", 1e-12)))
        writer.add_vocab_size(int(number("vocab_size")))
        writer.add_causal_attention(False)
        writer.add_pooling_type(gguf.PoolingType.MEAN)
        writer.add_token_type_count(int(number("type_vocab_size")))
        _write_tokenizer(writer, self.source)


def bert_layout(number: Callable[[str], Any]) -> Mapping[str, Target]:
    """Every tensor of a BERT, by Hugging Face's name; `number` gives a number of its configuration."""
    width, inner = int(number("hidden_size")), int(number("intermediate_size"))
    embeddings = "embeddings"
    layout = {
        f"{embeddings}.word_embeddings.weight": Target("token_embd.weight", (int(number("vocab_size")), width)),
        # llama.cpp adds rows of the next two to others: they must be float32
        f"{embeddings}.position_embeddings.weight": Target(
            "position_embd.weight", (int(number("max_position_embeddings")), width), exact=True
        ),
        f"{embeddings}.token_type_embeddings.weight": Target(
            "token_types.weight", (int(number("type_vocab_size")), width), exact=True
        ),
    }
    for part in ("weight", "bias"):
        layout[f"{embeddings}.LayerNorm.{part}"] = Target(f"token_embd_norm.{part}", (width,))
    sizes = {"ffn_up": (inner, width), "ffn_down": (width, inner)}
    for layer in range(int(number("num_hidden_layers"))):
        for path, short in BLOCKS.items():
            shape = sizes.get(short, (width, width))
            layout[f"encoder.layer.{layer}.{path}.weight"] = Target(f"blk.{layer}.{short}.weight", shape)
            layout[f"encoder.layer.{layer}.{path}.bias"] = Target(f"blk.{layer}.{short}.bias", shape[:1])
        for path, short in NORMS.items():
            for part in ("weight", "bias"):
                layout[f"encoder.layer.{layer}.{path}.{part}"] = Target(f"blk.{layer}.{short}.{part}", (width,))
    return layout


def _write_tokenizer(writer: Any, source: SourceModel) -> None:
    _require_word_piece(source)
    tokens = source.vocabulary()
    size = int(source.number("vocab_size"))
    if len(tokens) > size:
        raise ModelRefused(f"{source.place}: {len(tokens)} tokens, the model has embeddings of {size}")
    special = {role: _id_of(source, tokens, source.special.get(role, name)) for role, name in ROLES.items()}
    added = {int(token["id"]): token for token in source.added_tokens()}
    control = {*special.values(), *(number for number, token in added.items() if token.get("special"))}
    whole = set(added) - control
    kinds = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.UNUSED] * (size - len(tokens))
    for number in control:
        kinds[number] = gguf.TokenType.CONTROL
    for number in whole:
        kinds[number] = gguf.TokenType.USER_DEFINED
    spelled = [token if number in control | whole else spell(token) for number, token in enumerate(tokens)]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list(spelled + [f"[unused row {number}]" for number in range(len(tokens), size)])
    writer.add_token_types(kinds)
    writer.add_unk_token_id(special["unk"])
    writer.add_sep_token_id(special["sep"])
    writer.add_pad_token_id(special["pad"])
    writer.add_mask_token_id(special["mask"])
    writer.add_bos_token_id(special["cls"])
    writer.add_eos_token_id(special["sep"])
    _write_normalizer(writer, source)


def _require_word_piece(source: SourceModel) -> None:
    kinds = [(source.tokenizer.get(part) or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    if kinds != ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        raise ModelRefused(f"{source.place}/tokenizer.json: {kinds} is not BERT's WordPiece")
    prefix = source.tokenizer["model"].get("continuing_subword_prefix")
    if prefix != "##":
        raise ModelRefused(f"{source.place}/tokenizer.json: word parts begin with {prefix!r}, not ##")


def _write_normalizer(writer: Any, source: SourceModel) -> None:
    """llama.cpp lowers letters and strips accents unless told otherwise."""
    normalizer = source.tokenizer["normalizer"]
    lower = bool(normalizer.get("lowercase", True))
    strip = normalizer.get("strip_accents")
    if not lower:
        writer.add_bool("tokenizer.ggml.normalizer.lowercase", False)
    if strip is not None and bool(strip) != lower:
        writer.add_bool("tokenizer.ggml.normalizer.strip_accents", bool(strip))


def _id_of(source: SourceModel, tokens: list[str], name: str) -> int:
    try:
        return tokens.index(name)
    except ValueError as exc:
        raise ModelRefused(f"{source.place}/tokenizer.json: the special token {name} is missing") from exc


def spell(token: str) -> str:
    """A WordPiece token as llama.cpp spells it: word starts are marked, continuations are not."""
    return token[2:] if token.startswith("##") else "\u2581" + token
