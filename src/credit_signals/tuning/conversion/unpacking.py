"""An encoder's GGUF file as a Hugging Face folder again: what training starts from.

The weights are those of the file, rounded as they are there; what `convert` makes of the folder serves alike.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf.quants import dequantize
from safetensors.numpy import save_file
from tokenizers.implementations import BertWordPieceTokenizer

from credit_signals.errors import ModelRefused
from credit_signals.tuning.conversion.bert import bert_layout

WORD_START = "\u2581"
ROLES = {"unk": "unknown", "sep": "seperator", "pad": "padding", "cls": "bos", "mask": "mask"}  # GGUF's own spelling


def unpack(file: Path, out: Path) -> int:
    """Write the folder; gives how many words the encoder knows. Raises OSError, ModelRefused for all but a BERT."""
    try:
        reader = gguf.GGUFReader(file)
    except (ValueError, IndexError, KeyError) as exc:
        raise ModelRefused(f"{file}: damaged: {exc}") from exc
    if _value(reader, "general.architecture") != "bert":
        raise ModelRefused(f"{file}: not a BERT encoder")
    words, special = _words(reader)
    config = _config(reader, len(words))
    layout = bert_layout(lambda name: config[name])
    stored = {tensor.name: tensor for tensor in reader.tensors}
    missing = [target.name for target in layout.values() if target.name not in stored]
    if missing:
        raise ModelRefused(f"{file}: {len(missing)} tensors are missing, {missing[0]} the first")
    out.mkdir(parents=True, exist_ok=True)
    tensors = {name: _weights(stored[target.name], target.shape) for name, target in layout.items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    _write_tokenizer(out, words, special)
    return len(words)


def _words(reader: Any) -> tuple[list[str], dict[str, str]]:
    """The tokens by id as WordPiece writes them, and which plays which role."""
    spelled = reader.fields["tokenizer.ggml.tokens"].contents()
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    words = [
        (word.removeprefix(WORD_START) if word.startswith(WORD_START) else f"##{word}")
        if kind == gguf.TokenType.NORMAL
        else word
        for word, kind in zip(spelled, kinds, strict=True)
    ]
    return words, {role: words[int(_value(reader, f"tokenizer.ggml.{name}_token_id"))] for role, name in ROLES.items()}


def _config(reader: Any, words: int) -> dict[str, Any]:
    number = {name: _value(reader, f"bert.{name}") for name in ("block_count", "context_length", "embedding_length")}
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": number["embedding_length"],
        "intermediate_size": _value(reader, "bert.feed_forward_length"),
        "layer_norm_eps": _value(reader, "bert.attention.layer_norm_epsilon"),
        "max_position_embeddings": number["context_length"],
        "num_attention_heads": _value(reader, "bert.attention.head_count"),
        "num_hidden_layers": number["block_count"],
        "pad_token_id": _value(reader, "tokenizer.ggml.padding_token_id"),
        "type_vocab_size": _value(reader, "tokenizer.ggml.token_type_count"),
        "vocab_size": words,
    }


def _weights(tensor: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    return np.ascontiguousarray(values.reshape(shape))


def _write_tokenizer(out: Path, words: list[str], special: dict[str, str]) -> None:
    numbered = {word: number for number, word in enumerate(words)}
    names = {f"{role}_token": name for role, name in special.items()}
    tokenizer = BertWordPieceTokenizer(vocab=numbered, lowercase=True, **names)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    about = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, **names}
    (out / "tokenizer_config.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _value(reader: Any, name: str) -> Any:
    field = reader.fields.get(name)
    if field is None:
        raise ModelRefused(f"{name} is not told")
    return field.contents()
