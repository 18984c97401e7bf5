"""The encoder: pooling, adapters, odd texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reader_samples import SHIPPED

from credit_signals.inference.encoder import Encoder

SENTENCES = ["We closed our plant in Leeds.", "Fresh bread every morning.", "The plant in Leeds has been shut down."]
ODD = ["", " ", "\0", "😀😀", "a" * 5000, "word " * 5000, "\ud800", "[SEP] [CLS]", "東京", "\u200b\u202e", "x\0y"]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """The cosine of two vectors."""
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_like_sentences_are_near(encoder: Encoder) -> None:
    """Embeddings have length 1 and put paraphrases nearer than strangers."""
    a, b, c = encoder.embed(SENTENCES)
    assert np.allclose([np.linalg.norm(v) for v in (a, b, c)], 1, atol=1e-5)
    assert a @ c > 0.7
    assert a @ b < 0.3


def test_known_values(encoder: Encoder) -> None:
    """The first numbers of an embedding are those of the original model in float32."""
    vector = encoder.embed(["This is a test sentence."])[0]
    assert np.allclose(vector[:4], [-0.1307, 0.0376, -0.0243, 0.0493], atol=1e-3)  # by transformers


def test_the_context_changes_the_span(encoder: Encoder) -> None:
    """The text attends to its context, but only the text is averaged."""
    bare, told = encoder.embed_spans([("", SENTENCES[2]), ("Our bakery in York thrives.", SENTENCES[2])])
    assert 0.7 < cosine(bare, told) < 0.9999


def test_a_long_context_leaves_room_for_the_text(encoder: Encoder) -> None:
    """Only the end of a long context is seen."""
    long, short = encoder.embed_spans([("noise " * 500 + "end " * 48, "We sell."), ("end " * 48, "We sell.")])
    assert cosine(long, short) > 0.9999


def test_odd_texts_give_finite_vectors(encoder: Encoder) -> None:
    """Empty, broken, giant and foreign texts are embedded like any other."""
    assert np.isfinite(encoder.embed(ODD)).all()
    assert np.isfinite(encoder.embed_spans([(text, text) for text in ODD])).all()
    assert encoder.embed([]).shape == (0, 384)


def test_company_in_the_batch_does_not_matter(encoder: Encoder) -> None:
    """A text has nearly the same embedding alone and among others, whatever their order."""
    alone = np.concatenate([encoder.embed([text]) for text in SENTENCES])
    among = encoder.embed([*ODD, *SENTENCES, *ODD])[len(ODD) : len(ODD) + len(SENTENCES)]
    assert min(cosine(a, b) for a, b in zip(alone, among, strict=True)) > 0.9999


def test_the_same_batch_gives_the_same_bits(encoder: Encoder) -> None:
    """Reading is repeatable."""
    assert np.array_equal(encoder.embed(SENTENCES), encoder.embed(SENTENCES))


def write_adapter(path: Path, layers: range, scale: float) -> None:
    """A low-rank adapter on every query and feed-forward matrix of some layers."""
    gguf = pytest.importorskip("gguf", reason="writing an adapter needs the package gguf")
    random = np.random.default_rng(5)
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for layer in layers:
        for name, outputs, inputs in (("attn_q", 384, 384), ("attn_v", 384, 384), ("ffn_down", 384, 1536)):
            stem = f"blk.{layer}.{name}.weight"
            writer.add_tensor(f"{stem}.lora_a", (scale * random.standard_normal((4, inputs))).astype(np.float32))
            writer.add_tensor(f"{stem}.lora_b", random.standard_normal((outputs, 4)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def merged_model(path: Path, adapter: Path) -> None:
    """The shipped encoder with the adapter added to its weights: W + B·A (alpha equals the rank)."""
    gguf = pytest.importorskip("gguf")
    deltas = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(adapter).tensors}
    path.write_bytes(SHIPPED.read_bytes())
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        if f"{tensor.name}.lora_a" in deltas:
            delta = deltas[f"{tensor.name}.lora_b"] @ deltas[f"{tensor.name}.lora_a"]
            weight = gguf.quants.dequantize(tensor.data, tensor.tensor_type) + delta
            tensor.data[:] = gguf.quants.quantize(weight.astype(np.float32), tensor.tensor_type)


def test_an_adapter_is_applied_to_spans_only(encoder: Encoder, tmp_path: Path) -> None:
    """With an adapter, spans are those of the merged weights, and plain embeddings those of the bare model."""
    write_adapter(tmp_path / "adapter.gguf", range(12), 0.004)
    merged_model(tmp_path / "merged.gguf", tmp_path / "adapter.gguf")
    adapted, merged = Encoder(SHIPPED, tmp_path / "adapter.gguf"), Encoder(tmp_path / "merged.gguf")
    pairs = [("", text) for text in SENTENCES]
    for _ in range(2):
        spans, expected, bare = adapted.embed_spans(pairs), merged.embed_spans(pairs), encoder.embed_spans(pairs)
        assert np.array_equal(adapted.embed(SENTENCES), encoder.embed(SENTENCES))
        for span, same, other in zip(spans, expected, bare, strict=True):
            assert cosine(span, same) > 0.999 > cosine(span, other)
    adapted.close()
    merged.close()
