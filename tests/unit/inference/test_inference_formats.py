"""Heads and activity files: what was saved is loaded, anything else is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit_signals.domain import Stance, Subject
from credit_signals.errors import ModelRefused
from credit_signals.inference.formats import ActivityIndex, SignalHeads

CODES, WIDTH = 2, 4


def array(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Numbers of a shape."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def heads() -> SignalHeads:
    """Heads that fit together."""
    return SignalHeads(
        code_names=("layoffs", "recall"),
        code_w=array(CODES, WIDTH),
        code_b=array(CODES),
        threshold=array(CODES),
        stance_names=tuple(Stance),
        stance_w=array(5, WIDTH),
        stance_b=array(5),
        subject_names=tuple(Subject),
        subject_w=array(6, WIDTH),
        subject_b=array(6),
        severity_w=array(3, WIDTH),
        severity_b=array(3),
        scale=array(CODES),
        shift=array(CODES),
        stance_code_w=array(CODES, 5),
        attention_w=array(CODES, WIDTH),
    )


def index() -> ActivityIndex:
    """An index that fits together, with words."""
    return ActivityIndex(
        naics_codes=("238160", "311811"),
        naics_emb=array(2, WIDTH),
        nace_from=("238160",),
        nace_to=("43.91",),
        nace_share=np.ones(1, np.float32),
        tfidf_vocab=("bread", "roof"),
        tfidf_idf=array(2),
        tfidf_data=np.ones(2, np.float32),
        tfidf_indices=np.array([1, 0]),
        tfidf_indptr=np.array([0, 1, 2]),
    )


@pytest.mark.parametrize("made", [heads(), index()], ids=["heads", "index"])
def test_saved_is_loaded(made: SignalHeads | ActivityIndex, tmp_path: Path) -> None:
    """All fields come back as they were."""
    made.save(tmp_path / "file.npz")
    loaded = type(made).load(tmp_path / "file.npz")
    for name in type(made).__dataclass_fields__:
        assert np.array_equal(getattr(loaded, name), getattr(made, name)), name


def test_large_arrays_are_stored_in_16_bit(tmp_path: Path) -> None:
    """Embeddings of thousands of texts are stored as float16 and computed with as float32."""
    large = replace(index(), naics_codes=("238160",) * 300, naics_emb=np.ones((300, 384), np.float32), tfidf_vocab=())
    empty = np.zeros(0, np.int64)
    none = np.zeros(0, np.float32)
    replace(large, tfidf_idf=none, tfidf_data=none, tfidf_indices=empty, tfidf_indptr=empty).save(tmp_path / "i.npz")
    with np.load(tmp_path / "i.npz") as archive:
        assert archive["naics_emb"].dtype == np.float16
    assert ActivityIndex.load(tmp_path / "i.npz").naics_emb.dtype == np.float32


@pytest.mark.parametrize(
    "change",
    [
        {"code_w": array(CODES, WIDTH + 1)},
        {"code_w": array(CODES)},
        {"code_b": array(CODES + 1)},
        {"threshold": np.array([0.5, np.nan], np.float32)},
        {"stance_names": ("occurred",) * 5},
        {"subject_names": ("company",)},
        {"code_names": ("layoffs", "layoffs")},
        {"severity_w": array(4, WIDTH)},
        {"stance_code_w": array(5, CODES)},
    ],
    ids=str,
)
def test_heads_that_do_not_fit_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    """Neither saving nor loading takes parts of wrong shape, names or values."""
    wrong = replace(heads(), **change)
    with pytest.raises(ValueError, match=r"\w"):
        wrong.save(tmp_path / "file.npz")
    parts = {name: np.asarray(getattr(wrong, name)) for name in SignalHeads.__dataclass_fields__}
    np.savez(tmp_path / "file.npz", **parts)
    with pytest.raises(ModelRefused, match=r"file\.npz"):
        SignalHeads.load(tmp_path / "file.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"naics_emb": array(3, WIDTH)},
        {"nace_to": ()},
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"head_weight": 1.5},
        {"head_codes": ("23",)},
        {"nace_codes": ("43.91",)},
        {"tfidf_indices": np.array([2, 0])},
        {"tfidf_indptr": np.array([0, 3, 2])},
        {"tfidf_indptr": np.array([0, 2])},
    ],
    ids=str,
)
def test_an_index_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    """Parts that contradict each other are found before any section is read."""
    with pytest.raises(ValueError, match=r"\w"):
        replace(index(), **change).check()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive", b"\x93NUMPY\x01\x00"], ids=str)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    """Other files are refused by name."""
    (tmp_path / "file.npz").write_bytes(content)
    with pytest.raises(ModelRefused, match=r"file\.npz"):
        SignalHeads.load(tmp_path / "file.npz")
    with pytest.raises(ModelRefused, match=r"gone\.npz"):
        ActivityIndex.load(tmp_path / "gone.npz")


@pytest.mark.parametrize("name", ["code_w", "surprise"])
def test_pickles_and_unknown_arrays_are_refused(name: str, tmp_path: Path) -> None:
    """An archive cannot bring code or parts that nobody asked for."""
    parts: dict[str, Any] = {part: np.asarray(getattr(heads(), part)) for part in SignalHeads.__dataclass_fields__}
    parts[name] = np.array([{"a": 1}], dtype=object) if name == "code_w" else array(2)
    np.savez(tmp_path / "file.npz", **parts)
    with pytest.raises(ModelRefused, match=r"file\.npz"):
        SignalHeads.load(tmp_path / "file.npz")


def test_a_code_looks_where_its_attention_points() -> None:
    """Attention of zeros is the mean over the tokens; strong attention is the token that it points at."""
    tokens = np.eye(3, WIDTH, dtype=np.float32)
    attention = np.zeros((CODES, WIDTH), np.float32)
    attention[1, 2] = 50
    seen = replace(heads(), attention_w=attention).look(tokens)
    assert np.allclose(seen[0], tokens.mean(axis=0))
    assert np.allclose(seen[1], tokens[2])
