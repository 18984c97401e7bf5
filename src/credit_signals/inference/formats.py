"""The files that training writes and readers load: signal heads and the activity index.

Both are NumPy archives (`.npz`) of plain arrays, read without pickle. Wrong names, types, shapes or values are refused
with ModelRefused, which names the file.
"""

from __future__ import annotations

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeAlias, get_type_hints

import numpy as np
from numpy.typing import NDArray

from credit_signals.domain import Stance, Subject
from credit_signals.errors import ModelRefused

Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]
Names: TypeAlias = tuple[str, ...]

SEVERITIES = 3
LARGE = 100_000  # numbers from which an array is stored in 16 bit


def _no_floats() -> Floats:
    return np.zeros(0, np.float32)


def _no_integers() -> Integers:
    return np.zeros(0, np.int64)


class _Arrays(ABC):
    """Saving and loading of a dataclass whose fields are names, arrays and numbers."""

    @abstractmethod
    def check(self) -> None:
        """Raise ValueError when the parts do not fit together."""

    def save(self, path: Path) -> None:
        """Write the archive; large float arrays are stored as float16. Raises ValueError."""
        self.check()
        with path.open("wb") as file:
            arrays: dict[str, Any] = {name: _packed(value) for name, value in self._values().items()}
            np.savez_compressed(file, **arrays)

    def _values(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name) for part in fields(self)}  # type: ignore[arg-type]  # always a dataclass

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the archive. Raises ModelRefused."""
        hints = get_type_hints(cls)
        try:
            with np.load(path, allow_pickle=False) as archive:
                stored = {name: archive[name] for name in archive.files}
            made = cls(**{name: _unpacked(value, hints.get(name)) for name, value in stored.items()})
            made.check()
        except (OSError, ValueError, TypeError, EOFError, KeyError, zipfile.BadZipFile) as exc:
            raise ModelRefused(f"{path}: not a readable {cls.__name__} file: {exc}") from exc
        return made


def _packed(value: Any) -> NDArray[Any]:
    if isinstance(value, tuple):
        return np.asarray(value, dtype=np.str_)
    array = np.asarray(value)
    return array.astype(np.float16) if array.dtype == np.float32 and array.size >= LARGE else array


def _unpacked(array: NDArray[Any], hint: Any) -> Any:
    if hint == Names:
        if array.dtype.kind != "U" or array.ndim != 1:
            raise ValueError("a list of names is not a row of strings")
        return tuple(str(item) for item in array)
    if hint is float:
        return float(array)
    if hint == Integers:
        if array.dtype.kind not in "iu":
            raise ValueError("an array of integers holds something else")
        return array.astype(np.int64)
    if array.dtype.kind not in "fiu":
        raise ValueError("an array of numbers holds something else")
    return np.ascontiguousarray(array, dtype=np.float32)


def _require_shapes(shapes: Mapping[str, tuple[NDArray[Any], tuple[int, ...]]]) -> None:
    for name, (array, shape) in shapes.items():
        if array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, not {shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a number that is not finite")


@dataclass(frozen=True, slots=True)
class SignalHeads(_Arrays):
    """Linear heads over what a code sees of a sentence: h = sum of softmax(attention_w[code]·token) * token.

    Tokens are the sentence's, from the encoder's last layer (float32, `code_w.shape[1]` long).
    codes:    P(code) = sigmoid(scale * (code_w·h + code_b) + shift), stated when P >= threshold
    stance:   softmax(stance_w·h + stance_b + stance_code_w[code])
    subject:  softmax(subject_w·h + subject_b)
    severity: softmax(severity_w·h + severity_b) over 1, 2, 3
    """

    code_names: Names
    code_w: Floats  # [C, D]
    code_b: Floats  # [C]
    threshold: Floats  # [C], probabilities
    stance_names: Names
    stance_w: Floats  # [5, D]
    stance_b: Floats
    subject_names: Names
    subject_w: Floats  # [6, D]
    subject_b: Floats
    severity_w: Floats  # [3, D]
    severity_b: Floats
    scale: Floats  # [C], ones when not calibrated
    shift: Floats  # [C], zeros when not calibrated
    stance_code_w: Floats  # [C, 5], zeros when the stance does not depend on the code
    attention_w: Floats  # [C, D], zeros for the mean over the tokens

    @property
    def width(self) -> int:
        """Length of an embedding."""
        return int(self.code_w.shape[1])

    def look(self, tokens: Floats) -> Floats:
        """What each code sees of a sentence's tokens [T, D]: [C, D]."""
        looks = self.attention_w @ tokens.T
        looks = np.exp(looks - looks.max(axis=1, keepdims=True))
        seen: Floats = (looks / looks.sum(axis=1, keepdims=True)) @ tokens
        return seen

    def likely(self, seen: Floats) -> Floats:
        """The probability of each code from what it saw [C, D]: [C]."""
        logits = self.scale * ((seen * self.code_w).sum(axis=1) + self.code_b) + self.shift
        likely: Floats = (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)
        return likely

    def check(self) -> None:
        """Raise ValueError when shapes differ, a number is not finite or a name is unknown or doubled."""
        codes, stances, subjects = len(self.code_names), len(self.stance_names), len(self.subject_names)
        if self.code_w.ndim != 2:  # noqa: PLR2004  # a matrix
            raise ValueError("code_w is not a matrix")
        _require_shapes(
            {
                "code_w": (self.code_w, (codes, self.width)),
                "code_b": (self.code_b, (codes,)),
                "threshold": (self.threshold, (codes,)),
                "stance_w": (self.stance_w, (stances, self.width)),
                "stance_b": (self.stance_b, (stances,)),
                "subject_w": (self.subject_w, (subjects, self.width)),
                "subject_b": (self.subject_b, (subjects,)),
                "severity_w": (self.severity_w, (SEVERITIES, self.width)),
                "severity_b": (self.severity_b, (SEVERITIES,)),
                "scale": (self.scale, (codes,)),
                "shift": (self.shift, (codes,)),
                "stance_code_w": (self.stance_code_w, (codes, stances)),
                "attention_w": (self.attention_w, (codes, self.width)),
            }
        )
        if not codes or len(set(self.code_names)) != codes:
            raise ValueError("code_names is empty or names a code twice")
        if set(self.stance_names) != set(Stance) or set(self.subject_names) != set(Subject):
            raise ValueError("stance_names or subject_names are not those of the product")


@dataclass(frozen=True, slots=True)
class ActivityIndex(_Arrays):
    """What tells a section's NAICS 2022 code, and the way from there to NACE Rev. 2.

    Text i belongs to `naics_codes[i]` (a code may have several texts; all codes are of the deepest level used).
    similarity(code) = max over its texts of (embedding_weight * cos(embedding) + tfidf_weight * cos(tf-idf))
    P(code)          = softmax(similarity / temperature)
    When there is a head (linear, softmax, over code prefixes of any depth), the share of each prefix becomes
    head_weight * P_head + (1 - head_weight) * P, and codes below the prefix keep their ratio.
    P(nace)          = sum of P(naics) * nace_share over the rows of the crosswalk; where there are NACE texts too,
                       (1 - nace_weight) * that + nace_weight * softmax(max cos over a class's texts / temperature),
                       mixed with a head over NACE prefixes in the same way, when there is one.
    Sections whose best cosine is below `least_similarity` say nothing of an activity, whatever their page.
    """

    naics_codes: Names
    naics_emb: Floats  # [N, D], rows of length 1
    nace_from: Names  # crosswalk rows: NAICS 2022 code of the depth of naics_codes
    nace_to: Names  # NACE Rev. 2 class, e.g. "62.01"
    nace_share: Floats  # shares of one NAICS code sum to at most 1
    temperature: float = 0.05
    least_similarity: float = 0.35
    embedding_weight: float = 1.0
    tfidf_weight: float = 0.0
    head_weight: float = 0.0
    head_codes: Names = ()
    head_w: Floats = field(default_factory=_no_floats)  # [H, D], over the section's unit embedding
    head_b: Floats = field(default_factory=_no_floats)  # [H]
    tfidf_vocab: Names = ()  # lower-case words
    tfidf_idf: Floats = field(default_factory=_no_floats)  # [V]
    tfidf_data: Floats = field(default_factory=_no_floats)  # rows of a CSR matrix [N, V], each of length 1
    tfidf_indices: Integers = field(default_factory=_no_integers)
    tfidf_indptr: Integers = field(default_factory=_no_integers)
    nace_codes: Names = ()  # NACE Rev. 2 class of each NACE text
    nace_emb: Floats = field(default_factory=_no_floats)  # [M, D], rows of length 1
    nace_weight: float = 0.5
    nace_head_codes: Names = ()
    nace_head_w: Floats = field(default_factory=_no_floats)  # [G, D]
    nace_head_b: Floats = field(default_factory=_no_floats)  # [G]

    @property
    def width(self) -> int:
        """Length of an embedding."""
        return int(self.naics_emb.shape[1])

    def check(self) -> None:
        """Raise ValueError when shapes differ or a number is out of its range."""
        texts, rows, heads = len(self.naics_codes), len(self.nace_from), len(self.head_codes)
        if self.naics_emb.ndim != 2 or not texts:  # noqa: PLR2004  # a matrix
            raise ValueError("naics_emb is not a matrix or names no code")
        _require_shapes(
            {
                "naics_emb": (self.naics_emb, (texts, self.width)),
                "nace_to": (np.zeros(len(self.nace_to)), (rows,)),
                "nace_share": (self.nace_share, (rows,)),
                "head_w": (self.head_w, (heads, self.width) if heads else (0,)),
                "head_b": (self.head_b, (heads,)),
            }
        )
        direct = len(self.nace_codes)
        direct_heads = len(self.nace_head_codes)
        _require_shapes(
            {
                "nace_emb": (self.nace_emb, (direct, self.width) if direct else (0,)),
                "nace_head_w": (self.nace_head_w, (direct_heads, self.width) if direct_heads else (0,)),
                "nace_head_b": (self.nace_head_b, (direct_heads,)),
            }
        )
        if not self.temperature > 0 or not 0 <= self.head_weight <= 1 or not 0 <= self.nace_weight <= 1:
            raise ValueError("temperature is not positive, or head_weight or nace_weight is no share")
        self._check_words(texts)

    def _check_words(self, texts: int) -> None:
        words, entries = len(self.tfidf_vocab), len(self.tfidf_data)
        shapes: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
            "tfidf_idf": (self.tfidf_idf, (words,)),
            "tfidf_indices": (self.tfidf_indices, (entries,)),
            "tfidf_indptr": (self.tfidf_indptr, (texts + 1 if words else 0,)),
        }
        _require_shapes(shapes)
        if entries and (self.tfidf_indices.min() < 0 or self.tfidf_indices.max() >= words):
            raise ValueError("tfidf_indices points outside the vocabulary")
        if words and (
            self.tfidf_indptr[0] != 0 or self.tfidf_indptr[-1] != entries or (np.diff(self.tfidf_indptr) < 0).any()
        ):
            raise ValueError("tfidf_indptr is not a row index")
