"""The gate between training and serving: a GGUF file must answer as the model that was trained.

First the tokenizers, then the numbers: for causal models the logits of the allowed labels behind each prompt (all
answers that occur in the file), for encoders the embeddings of whole texts and of spans, and with heads the codes. A
file in F32 must give the original's numbers, else the conversion is wrong; the file that ships must give its labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from credit_signals.errors import ConfigurationError
from credit_signals.inference.formats import SignalHeads
from credit_signals.tuning.conversion.embedded import Embedded
from credit_signals.tuning.conversion.parity_cases import Mismatch, read_prompts, read_sentences
from credit_signals.tuning.conversion.reference import Reference
from credit_signals.tuning.conversion.served import Served
from credit_signals.tuning.conversion.tensor_files import Floats

EXACT = "F32"


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked of the files. `cosine` holds for encoders without heads, in place of label agreement."""

    agreement: float = 0.99
    cosine: float = 0.999  # the mean over all texts, of whole texts and of spans
    exact: float = 1e-3  # largest difference of a logit, or of a number of an embedding of length 1, in F32
    mismatches: int = 0  # texts in which the tokenizers may differ


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file against the reference. What does not apply to the kind of model is None."""

    path: Path
    kind: str
    mismatches: tuple[Mismatch, ...] = ()
    agreement: float | None = None  # share of cases with the same label, or the same set of codes
    largest: float | None = None  # difference of logits (causal), of unit embeddings (encoder)
    mean: float | None = None
    divergence: float | None = None  # Kullback-Leibler, nats, of the labels' shares; mean over cases
    cosine_whole: float | None = None  # means over cases
    cosine_span: float | None = None
    cosine_least: float | None = None

    def faults(self, gate: Gate, *, ships: bool) -> list[str]:
        """Why the file does not pass."""
        if len(self.mismatches) > gate.mismatches:
            return [f"the tokenizers differ in {len(self.mismatches)} texts, first in {self.mismatches[0]}"]
        found = []
        if self.kind == EXACT and not (self.largest or 0.0) < gate.exact:
            found.append(
                f"the conversion is wrong: F32 differs by {self.largest:.2g}, at most {gate.exact:g} is allowed"
            )
        if ships and self.agreement is not None and not self.agreement >= gate.agreement:
            found.append(f"labels agree in {self.agreement:.2%}, {gate.agreement:.0%} is needed")
        if (
            ships
            and self.agreement is None
            and not min(self.cosine_whole or 0.0, self.cosine_span or 0.0) >= gate.cosine
        ):
            found.append(f"cosines are {self.cosine_whole} and {self.cosine_span}, {gate.cosine} is needed")
        return found


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared: the original, files made of it, texts, and for an encoder its heads or none."""

    reference: Reference
    files: Sequence[Served]
    sections: Path
    limit: int
    heads: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The number of texts, and each file's comparison."""

    encoder: bool
    texts: int
    comparisons: tuple[Comparison, ...]

    def faults(self, gate: Gate, ships: Path) -> list[str]:
        """Why the gate fails; empty when the files pass and the one that ships is as good as it must be."""
        return [
            f"{each.path.name}: {fault}"
            for each in self.comparisons
            for fault in each.faults(gate, ships=each.path == ships)
        ]


def compare(sides: Sides, gate: Gate) -> Outcome:
    """Compare each file with the original; where a tokenizer fails the gate, nothing else is computed.

    Raises ConfigurationError, ModelRefused.
    """
    return _compare_encoders(sides, gate) if sides.reference.is_encoder else _compare_causal(sides, gate)


def _compare_causal(sides: Sides, gate: Gate) -> Outcome:
    reference = sides.reference
    prompts = read_prompts(sides.sections, sides.limit, reference.render)
    labels = sorted({prompt.label(reference.tokenizer) for prompt in prompts})
    if len(labels) < 2:  # noqa: PLR2004  # one label always agrees
        raise ConfigurationError(f"{sides.sections}: {len(labels)} different answers; parity needs two or more")
    expected: Floats | None = None
    found = []
    for file in sides.files:
        kind, differing = file.kind, tuple(file.mismatches(prompts, reference.tokenizer))
        if len(differing) > gate.mismatches:
            found.append(Comparison(file.path, kind, differing))
            continue
        expected = reference.logits(prompts, labels) if expected is None else expected
        answers = file.logits(prompts, labels, exact=kind == EXACT)
        found.append(compare_logits(file.path, kind, expected, answers, differing))
    return Outcome(encoder=False, texts=len(prompts), comparisons=tuple(found))


def _compare_encoders(sides: Sides, gate: Gate) -> Outcome:
    sentences = read_sentences(sides.sections, sides.limit)
    if not sentences:
        raise ConfigurationError(f"{sides.sections}: holds no text")
    heads = SignalHeads.load(sides.heads) if sides.heads else None
    expected: Embedded | None = None
    found = []
    for file in sides.files:
        kind, differing = file.kind, tuple(file.mismatches(sentences, sides.reference.tokenizer))
        if len(differing) > gate.mismatches:
            found.append(Comparison(file.path, kind, differing))
            continue
        expected = sides.reference.embeddings(sentences, heads) if expected is None else expected
        embeddings = file.embeddings(sentences, heads, exact=kind == EXACT)
        found.append(compare_embeddings(file.path, kind, expected, embeddings, differing))
    return Outcome(encoder=True, texts=len(sentences), comparisons=tuple(found))


def compare_logits(
    path: Path, kind: str, expected: Floats, found: Floats, differing: tuple[Mismatch, ...] = ()
) -> Comparison:
    """Logits of the labels, [cases, labels], of the original and of a file."""
    difference = np.abs(expected.astype(np.float64) - found)
    p, q = _log_shares(expected), _log_shares(found)
    return Comparison(
        path,
        kind,
        differing,
        agreement=float((expected.argmax(1) == found.argmax(1)).mean()),
        largest=float(difference.max()),
        mean=float(difference.mean()),
        divergence=float((np.exp(p) * (p - q)).sum(1).mean()),
    )


def compare_embeddings(
    path: Path, kind: str, expected: Embedded, found: Embedded, differing: tuple[Mismatch, ...] = ()
) -> Comparison:
    """Embeddings of the original and of a file."""
    pairs = ((expected.whole, found.whole), (expected.spans, found.spans))
    whole, spans = (_cosines(a, b) for a, b in pairs)
    difference = np.abs(np.stack([_unit(a) - _unit(b) for a, b in pairs]))
    agreement = None
    if expected.codes is not None and found.codes is not None:
        agreement = float((expected.codes == found.codes).all(axis=1).mean())
    return Comparison(
        path,
        kind,
        differing,
        agreement=agreement,
        largest=float(difference.max()),
        mean=float(difference.mean()),
        cosine_whole=float(whole.mean()),
        cosine_span=float(spans.mean()),
        cosine_least=float(min(whole.min(), spans.min())),
    )


def _log_shares(logits: Floats) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    shares: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return shares


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return unit


def _cosines(a: Floats, b: Floats) -> Floats:
    cosines: Floats = (_unit(a) * _unit(b)).sum(1)
    return cosines
