"""Makes the activity index: official texts, phrases of small firms, and a trained head over their embeddings.

The embeddings are those that the reader will compute: the same GGUF encoder, without adapter.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from credit_signals.inference.activity import ActivityFinder
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import ActivityIndex
from credit_signals.taxonomy import activities as taxonomy
from credit_signals.tuning import activity_data as data
from credit_signals.tuning.activity_head import (
    Examples,
    Head,
    Vectors,
    balanced,
    fit_head,
    means,
    nearest_allowed,
    unit,
)
from credit_signals.tuning.activity_metrics import measure_described, measure_known

logger = logging.getLogger(__name__)

SUMMARY_CHARACTERS = 500  # the activity stands at the beginning
NAICS_PREFIX = 3
NACE_PREFIX = 2
NAICS_DEEPEST = 6
NACE_DEEPEST = len("25.11")
PORTION = 2000  # texts between two lines of progress

# what the kinds of text count for in a head's training, in texts
NAICS_WEIGHT = 4000.0
PHRASES_WEIGHT = 4800.0
KNOWN_WEIGHT = 4.0  # each


@dataclass(frozen=True, slots=True)
class ActivitySources:
    """Where the index is made from. `small` is measured on and never trained on."""

    base: Path  # GGUF
    schemes: Path
    phrases: Path
    companies: Path
    small: Path
    out: Path


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How the index is made; `regularisation` is the inverse strength that scikit-learn calls C."""

    temperature: float = 0.03
    head_weight: float = 0.4
    least_similarity: float = 0.27
    per_industry: int = 110
    regularisation: float = 20.0
    seed: int = 1


Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts and their embeddings."""

    codes: list[str]
    vectors: Vectors


def make_index(sources: ActivitySources, settings: IndexSettings) -> dict[str, Any]:
    """Make, measure and write the index; gives its figures."""
    encoder = Encoder(sources.base)
    try:
        return _make(sources, settings, lambda texts: _embed(encoder, texts))
    finally:
        encoder.close()


def _embed(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Embeddings of texts, in batches of similar length."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    vectors = np.zeros((len(texts), encoder.width), np.float32)
    for start in range(0, len(order), PORTION):
        rows = order[start : start + PORTION]
        vectors[rows] = encoder.embed([texts[row] for row in rows])
        logger.info("embedded %d of %d texts", start + len(rows), len(texts))
    return vectors


def _make(sources: ActivitySources, settings: IndexSettings, embed: Embed) -> dict[str, Any]:
    companies = data.described_companies(sources.companies, settings.per_industry, settings.seed)
    of_companies = embed([company.text[:SUMMARY_CHARACTERS] for company in companies])
    known = data.known_businesses(sources.phrases)
    of_known = embed([item.text for item in known])
    held_out = np.array([company.held_out for company in companies])

    naics, naics_examples = _naics(sources, embed)
    naics = _joined(naics, _Texts([item.naics for item in known], of_known))
    guess = nearest_allowed(of_companies, [company.naics for company in companies], naics.vectors, naics.codes)
    naics_examples += _companies_and_known(of_companies, guess, held_out, _Texts([k.naics for k in known], of_known))
    naics_head = fit_head(naics_examples, NAICS_PREFIX, settings.regularisation, settings.seed)

    nace, nace_examples = _nace(sources, embed)
    nace = _joined(nace, _Texts([item.nace for item in known], of_known))
    guess = nearest_allowed(of_companies, [company.nace for company in companies], nace.vectors, nace.codes)
    nace_examples += _companies_and_known(of_companies, guess, held_out, _Texts([k.nace for k in known], of_known))
    nace_head = fit_head(nace_examples, NACE_PREFIX, settings.regularisation, settings.seed)

    sources.out.mkdir(parents=True, exist_ok=True)
    _index(naics, naics_head, nace, nace_head, settings).save(sources.out / "activity.npz")
    finder = ActivityFinder(ActivityIndex.load(sources.out / "activity.npz"))
    small = data.known_businesses(sources.small)
    unseen = [company for company in companies if company.held_out]
    figures = {
        "small_businesses": measure_known(finder, small, embed([item.text for item in small])),
        "held_out_companies": measure_described(finder, unseen, of_companies[held_out]),
    }
    (sources.out / "activity-metrics.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def _naics(sources: ActivitySources, embed: Embed) -> tuple[_Texts, list[Examples]]:
    """The six-digit texts of NAICS, and all its texts as examples."""
    titles, texts = data.naics_titles(sources.schemes), data.naics_texts(sources.schemes)
    of_titles, of_texts = embed([entry.text for entry in titles]), embed([entry.text for entry in texts])
    codes = [entry.code for entry in titles]
    deepest = np.array([len(code) == NAICS_DEEPEST for code in codes])
    both = _Texts([code for code in codes if len(code) == NAICS_DEEPEST], unit(of_titles + of_texts)[deepest])
    return both, [balanced(np.concatenate([of_titles, of_texts]), codes * 2, NAICS_WEIGHT, 0.0)]


def _nace(sources: ActivitySources, embed: Embed) -> tuple[_Texts, list[Examples]]:
    """Per NACE class its title and the mean of its phrases; and all of them as examples."""
    phrases = data.nace_phrases(sources.schemes)
    of_phrases = embed([phrase.text for phrase in phrases])
    codes = [code for code in taxonomy.codes(taxonomy.NACE2) if len(code) == NACE_DEEPEST]
    of_titles = embed([taxonomy.title_of(taxonomy.NACE2, code) for code in codes])
    middle, middle_codes = means(of_phrases, [phrase.code for phrase in phrases])
    examples = [
        balanced(of_phrases, [phrase.code for phrase in phrases], PHRASES_WEIGHT, 0.7),
        balanced(of_titles, codes, float(len(codes)), 0.0),
    ]
    return _joined(_Texts(middle_codes, middle), _Texts(codes, of_titles)), examples


def _companies_and_known(
    of_companies: Vectors, guess: Sequence[str], held_out: np.ndarray[Any, Any], known: _Texts
) -> list[Examples]:
    codes = [code for code, out in zip(guess, held_out, strict=True) if not out]
    return [
        balanced(of_companies[~held_out], codes, float(len(codes)), 0.3),
        balanced(known.vectors, known.codes, KNOWN_WEIGHT * len(known.codes), 0.0),
    ]


def _joined(first: _Texts, second: _Texts) -> _Texts:
    return _Texts([*first.codes, *second.codes], np.concatenate([first.vectors, second.vectors]))


def _index(naics: _Texts, naics_head: Head, nace: _Texts, nace_head: Head, settings: IndexSettings) -> ActivityIndex:
    return ActivityIndex(
        naics_codes=tuple(naics.codes),
        naics_emb=naics.vectors,
        nace_from=(),
        nace_to=(),
        nace_share=np.zeros(0, np.float32),
        temperature=settings.temperature,
        least_similarity=settings.least_similarity,
        head_weight=settings.head_weight,
        head_codes=naics_head.codes,
        head_w=naics_head.w,
        head_b=naics_head.b,
        nace_codes=tuple(nace.codes),
        nace_emb=nace.vectors,
        nace_weight=1.0,
        nace_head_codes=nace_head.codes,
        nace_head_w=nace_head.w,
        nace_head_b=nace_head.b,
    )
