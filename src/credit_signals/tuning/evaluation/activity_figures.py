"""How well business activities are told, at each depth of both schemes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_signals.domain import FoundActivity
from credit_signals.errors import ConfigurationError
from credit_signals.inference.activity import ActivityFinder
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import ActivityIndex
from credit_signals.inference.manifest import CascadeManifest, Manifest, load_any_manifest, load_manifest
from credit_signals.inference.model_file import check_file, check_model
from credit_signals.taxonomy import activities as taxonomy
from credit_signals.tuning.activity_metrics import ranked_codes
from credit_signals.tuning.json_lines import read_lines
from credit_signals.tuning.resampling import Figure, Resampling, figure, share

FIRST = (1, 3, 5)


@dataclass(frozen=True, slots=True)
class Depth:
    """A level of a scheme: codes of `length` characters, or with `top` their sections or sectors."""

    scheme: str
    name: str
    length: int
    top: bool = False

    def of(self, code: str) -> str:
        """The code at this depth, or empty when it is not so deep."""
        if self.top:
            return taxonomy.top_of(self.scheme, code) if code else ""
        return code[: self.length] if len(code) >= self.length and "-" not in code else ""


DEPTHS = (
    Depth(taxonomy.NAICS2022, "sector", 3, top=True),
    Depth(taxonomy.NAICS2022, "3 digits", 3),
    Depth(taxonomy.NAICS2022, "4 digits", 4),
    Depth(taxonomy.NAICS2022, "5 digits", 5),
    Depth(taxonomy.NAICS2022, "6 digits", 6),
    Depth(taxonomy.NACE2, "section", 2, top=True),
    Depth(taxonomy.NACE2, "2 digits", 2),
    Depth(taxonomy.NACE2, "3 digits", 4),
    Depth(taxonomy.NACE2, "4 digits", 5),
)


class Description(BaseModel):
    """A company's description with its codes, as deep as they are known; one of the schemes may be left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    naics2022: str = ""
    nace2: str = ""

    @model_validator(mode="after")
    def _known(self) -> Description:
        if not self.naics2022 and not self.nace2:
            raise ValueError("holds neither naics2022 nor nace2")
        for scheme in taxonomy.SCHEMES:
            if code := self.code(scheme):
                taxonomy.level_of(scheme, code)
        return self

    def code(self, scheme: str) -> str:
        """The code in a scheme, or empty."""
        return self.naics2022 if scheme == taxonomy.NAICS2022 else self.nace2


@dataclass(frozen=True, slots=True)
class DepthFigures:
    """One depth: the share of descriptions whose code is among the first 1, 3, 5; `baseline` likewise, top-1 only."""

    depth: Depth
    texts: int
    first: dict[int, Figure]
    baseline: Figure | None


@dataclass(frozen=True, slots=True)
class ActivityFigures:
    """All depths; `hierarchical`: by scheme, F1 over the most probable deepest code and all codes above it."""

    name: str
    texts: int
    depths: tuple[DepthFigures, ...]
    hierarchical: dict[str, Figure]


def load_descriptions(paths: Sequence[Path]) -> list[Description]:
    """Read JSON Lines. Raises ConfigurationError naming the line that is wrong."""
    return [found for path in paths for _, found in read_lines(path, Description, "a description")]


def find_described(manifest_path: Path, descriptions: Sequence[Description]) -> list[list[FoundActivity]]:
    """What the reader of a manifest says of each description. Raises ModelRefused, ReadFailed.

    Raises ConfigurationError for a reader that tells no activities.
    """
    manifest = _encoder_manifest(manifest_path)
    if manifest.activity is None or manifest.kind != "encoder":
        raise ConfigurationError(
            f"{manifest_path}: this reader tells no activities, so no descriptions can be measured"
        )
    check_model(manifest.model.file, manifest.model.sha256)
    check_file(manifest.activity.file, manifest.activity.sha256)
    finder = ActivityFinder(ActivityIndex.load(manifest.activity.file))
    encoder = Encoder(manifest.model.file, threads=manifest.threads)
    try:
        vectors = encoder.embed([each.text for each in descriptions])
    finally:
        encoder.close()
    return [finder.find(vector, each.text) for vector, each in zip(vectors, descriptions, strict=True)]


def _encoder_manifest(path: Path) -> Manifest:
    manifest = load_any_manifest(path)
    return load_manifest(manifest.cheap) if isinstance(manifest, CascadeManifest) else manifest


def measure_activities(
    name: str,
    descriptions: Sequence[Description],
    answers: Sequence[Sequence[FoundActivity]],
    guesses: Mapping[Depth, Sequence[str]],
    seed: int,
) -> ActivityFigures:
    """The figures of answers; `guesses` are the baseline's codes by depth. Every description is its own document."""
    depths = [_depth(depth, descriptions, answers, guesses.get(depth), seed) for depth in DEPTHS]
    lines = {scheme: _hierarchical(scheme, descriptions, answers, seed) for scheme in reversed(taxonomy.SCHEMES)}
    return ActivityFigures(
        name=name,
        texts=len(descriptions),
        depths=tuple(each for each in depths if each),
        hierarchical={scheme: each for scheme, each in lines.items() if each},
    )


def _depth(
    depth: Depth,
    descriptions: Sequence[Description],
    answers: Sequence[Sequence[FoundActivity]],
    guesses: Sequence[str] | None,
    seed: int,
) -> DepthFigures | None:
    rows = [row for row, each in enumerate(descriptions) if depth.of(each.code(depth.scheme))]
    if not rows:
        return None
    draws = Resampling([descriptions[row].id for row in rows], seed)
    gold = [depth.of(descriptions[row].code(depth.scheme)) for row in rows]
    ranked = [ranked_codes(answers[row], depth.scheme, depth.length, top=depth.top) for row in rows]
    every = np.ones(len(rows))

    def among(candidates: Sequence[Sequence[str]]) -> Figure:
        hits = [code in codes for code, codes in zip(gold, candidates, strict=True)]
        return draws.ratio(np.array(hits), every)

    first = {number: among([codes[:number] for codes in ranked]) for number in FIRST}
    return DepthFigures(depth, len(rows), first, among([[guesses[row]] for row in rows]) if guesses else None)


def _hierarchical(
    scheme: str, descriptions: Sequence[Description], answers: Sequence[Sequence[FoundActivity]], seed: int
) -> Figure | None:
    """F1 over the sets of codes with all their ancestors (Silla and Freitas 2011, section 5)."""
    rows = [row for row, each in enumerate(descriptions) if each.code(scheme)]
    if not rows:
        return None
    counts = np.zeros((len(rows), 2))  # common, told and gold together
    for place, row in enumerate(rows):
        gold = set(taxonomy.ancestors(scheme, descriptions[row].code(scheme)))
        told = set(_line(scheme, answers[row], max(map(len, gold))))
        counts[place] = (len(gold & told), len(gold) + len(told))
    sums = Resampling([descriptions[row].id for row in rows], seed).sums(counts)
    return figure(share(2 * sums[:, 0], sums[:, 1]))


def _line(scheme: str, found: Sequence[FoundActivity], deepest: int) -> tuple[str, ...]:
    """The most probable code of the deepest level that is no deeper than the gold code, and its ancestors."""
    lengths = [depth.length for depth in DEPTHS if depth.scheme == scheme and depth.length <= deepest]
    for length in reversed(lengths):
        if ranked := ranked_codes(found, scheme, length):
            return taxonomy.ancestors(scheme, ranked[0])
    return ()
