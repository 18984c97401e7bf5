"""Small model folders with random weights, written by hand: conversion needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from credit_signals.tuning.conversion.bert import Bert
from credit_signals.tuning.conversion.llama import Llama
from credit_signals.tuning.conversion.model_folder import SourceModel

Arrays = Mapping[str, np.ndarray[Any, Any]]
BYTE_LETTERS = [
    *map(chr, [*range(33, 127), *range(161, 173), *range(174, 256)]),
    *map(chr, range(256, 256 + 68)),  # GPT-2's letters for the 68 other bytes
]
SENTENCES = [
    "We closed the plant in Leeds, and 12 jobs are lost.",
    "Our café won’t close: 東京 and Zürich stay open!",
    "  Two  spaces\n\nand lines, 😀 too. ",
    "Sales fell by 1234.5 percent; they're down.",
]
LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "hidden_act": "silu",
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_theta": 50000.0, "rope_type": "default"},
    "tie_word_embeddings": True,
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 0,
    "eos_token_id": 0,
}
BERT = {
    "model_type": "bert",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "hidden_act": "gelu",
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "architectures": ["BertModel"],
}


def added(number: int, content: str, *, special: bool = True) -> dict[str, Any]:
    """An entry of `added_tokens`."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": content, "special": special, **flags}


def bpe_tokenizer() -> dict[str, Any]:
    """A byte-level BPE with a few merges and a special token."""
    pairs = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("Ġ", "y"), ("e", "s"), ("Ġy", "es"), ("Ġ", "n"), ("Ġn", "o")]
    tokens = ["<|end|>", *BYTE_LETTERS, *("".join(pair) for pair in pairs)]
    return {
        "version": "1.0",
        "added_tokens": [added(0, "<|end|>")],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [list(pair) for pair in pairs],
        },
    }


def word_piece_tokenizer() -> dict[str, Any]:
    """A WordPiece vocabulary of letters and a few words, extended by two words at its end."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["we", "the", "plant", "close", "##d", "##ing", *",.;:!'’", "東", "京", "insolvenz", "##verfahren"]
    tokens = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    tokens = list(dict.fromkeys(tokens))
    return {
        "version": "1.0",
        "added_tokens": [added(number, token) for number, token in enumerate(special)],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: number for number, token in enumerate(tokens)},
        },
    }


def write_safetensors(path: Path, arrays: Arrays) -> None:
    """Write float32 arrays."""
    header, blobs, start = {}, [], 0
    for name, array in arrays.items():
        blob = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [start, start + len(blob)]}
        blobs.append(blob)
        start += len(blob)
    raw = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + b"".join(blobs))


def write_model(folder: Path, config: Mapping[str, Any], seed: int = 1) -> Path:
    """A folder as transformers writes it, of a Llama or a BERT; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    llama = config["model_type"] == "llama"
    tokenizer = bpe_tokenizer() if llama else word_piece_tokenizer()
    config = {"vocab_size": len(tokenizer["model"]["vocab"]), **config}
    random = np.random.default_rng(seed)
    shapes = SourceModel(str(folder), dict(config), tokenizer, _NoWeights())
    layout = (Llama(shapes) if llama else Bert(shapes)).layout()
    arrays = {}
    for name, target in sorted(layout.items()):
        noise = random.standard_normal(target.shape).astype(np.float32)
        norm = "norm" in name.lower() and name.endswith("weight")
        arrays[name] = 1 + noise / 10 if norm else noise / np.sqrt(target.shape[-1])
    write_safetensors(folder / "model.safetensors", arrays)
    names = {"bos_token": "<|end|>", "eos_token": "<|end|>"} if llama else {}
    roles = {"tokenizer_class": "PreTrainedTokenizerFast" if llama else "BertTokenizer", **names}
    if not llama:
        roles |= {f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")}
    for file, content in (("config.json", config), ("tokenizer.json", tokenizer), ("tokenizer_config.json", roles)):
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    return folder


def write_adapter(folder: Path, model: Path, modules: Mapping[str, tuple[int, int]], **config: Any) -> Path:
    """A PEFT folder of rank 4 for modules (name -> outputs, inputs) with random matrices; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(3)
    arrays = {}
    for module, (outputs, inputs) in modules.items():
        arrays[f"base_model.model.{module}.lora_A.weight"] = random.standard_normal((4, inputs)) / np.sqrt(inputs)
        arrays[f"base_model.model.{module}.lora_B.weight"] = random.standard_normal((outputs, 4)) / 2
    write_safetensors(folder / "adapter_model.safetensors", arrays)
    settings: dict[str, Any] = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none"}
    settings["target_modules"] = sorted(modules)
    settings |= {"base_model_name_or_path": str(model), "inference_mode": True, **config}
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


LLAMA_MODULES = {
    "model.layers.0.self_attn.q_proj": (64, 64),
    "model.layers.1.self_attn.k_proj": (32, 64),
    "model.layers.1.self_attn.v_proj": (32, 64),
    "model.layers.0.mlp.down_proj": (64, 128),
}
BERT_MODULES = {
    "encoder.layer.0.attention.self.query": (64, 64),
    "encoder.layer.1.attention.self.key": (64, 64),
    "encoder.layer.1.output.dense": (64, 128),
}


class _NoWeights:
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def read(self, name: str) -> np.ndarray[Any, Any]:
        raise KeyError(name)
