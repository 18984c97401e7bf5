"""Sections, models and manifests for the tests of readers on the real llama.cpp."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from credit_signals.domain import PageRole, Section, Sentence, Stance, Subject
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import ActivityIndex, SignalHeads
from credit_signals.inference.manifest import write_encoder_manifest

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "workers/section_reader/models/section-encoder.gguf"
QUESTIONS = ROOT / "workers/section_reader/questions"

EXAMPLES = {
    "layoffs": "We cut jobs and made forty employees redundant.",
    "expansion": "We opened a new plant and doubled our capacity.",
}
TRADES = {"238160": "Roofing contractors install and repair roofs.", "311811": "Bakeries bake and sell fresh bread."}


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_section(sentences: Sequence[str], **values: Any) -> Section:
    """A section of these sentences, joined by blanks."""
    numbered, end = [], 0
    for number, sentence in enumerate(sentences, start=1):
        numbered.append(Sentence(number=number, start=end, end=end + len(sentence)))
        end += len(sentence) + 1
    defaults = {"company_id": "c1", "url": "https://a.example/", "role": PageRole.HOME, "language": "en"}
    return Section.build(**{**defaults, **values}, text=" ".join(sentences), sentences=tuple(numbered))


def make_heads(encoder: Encoder) -> SignalHeads:
    """Heads that know two codes by what sets an example sentence apart from the other's."""
    vectors = encoder.embed_spans([("", text) for text in EXAMPLES.values()])
    apart = vectors - vectors.mean(axis=0)
    weights = 40 * apart / (apart * vectors).sum(axis=1, keepdims=True)
    codes, width = len(EXAMPLES), encoder.width
    stances, subjects = len(Stance), len(Subject)
    return SignalHeads(
        code_names=tuple(EXAMPLES),
        code_w=weights.astype(np.float32),
        code_b=np.full(codes, -24, np.float32),  # half likely at a likeness of 0.6
        threshold=np.full(codes, 0.5, np.float32),
        stance_names=tuple(Stance),
        stance_w=np.zeros((stances, width), np.float32),
        stance_b=np.zeros(stances, np.float32),
        subject_names=tuple(Subject),
        subject_w=np.zeros((subjects, width), np.float32),
        subject_b=np.eye(1, subjects, dtype=np.float32)[0],
        severity_w=np.zeros((3, width), np.float32),
        severity_b=np.array([0, 1, 0], np.float32),
        scale=np.ones(codes, np.float32),
        shift=np.zeros(codes, np.float32),
        stance_code_w=np.eye(codes, stances, k=1, dtype=np.float32),
        attention_w=np.zeros((codes, vectors.shape[1]), np.float32),
    )


def make_index(encoder: Encoder) -> ActivityIndex:
    """An index of two trades."""
    return ActivityIndex(
        naics_codes=tuple(TRADES),
        naics_emb=encoder.embed(list(TRADES.values())),
        nace_from=tuple(TRADES),
        nace_to=("43.91", "10.71"),
        nace_share=np.ones(2, np.float32),
    )


def write_small_encoder(folder: Path, encoder: Encoder) -> Path:
    """A manifest of small heads and a small index over the shipped encoder."""
    make_heads(encoder).save(folder / "heads.npz")
    make_index(encoder).save(folder / "activity.npz")
    files = {"model": SHIPPED, "heads": folder / "heads.npz", "activity": folder / "activity.npz"}
    path = folder / "encoder.toml"
    write_encoder_manifest(path, "7", ["en"], files)
    return path


def write_generative_manifest(folder: Path, model: Path) -> Path:
    """A manifest of the project's questions over a model."""
    path = folder / "generative.toml"
    path.write_text(
        f'kind = "generative"\nversion = "3"\nlanguages = ["en"]\n'
        f'[model]\nfile = "{model}"\nsha256 = "{sha256(model)}"\n[questions]\nfolder = "{QUESTIONS}"\n'
    )
    return path
