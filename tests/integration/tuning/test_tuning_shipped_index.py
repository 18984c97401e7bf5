"""The shipped activity index on small businesses that it was not made from."""

import json
from pathlib import Path

import pytest

from credit_signals.inference.activity import ActivityFinder
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import ActivityIndex
from credit_signals.inference.manifest import load_manifest
from credit_signals.taxonomy import activities as taxonomy

ROOT = Path(__file__).parents[3]
SMALL = ROOT / "tests/unit/tuning/small_businesses.jsonl"


@pytest.fixture(scope="module")
def answers() -> list[tuple[dict[str, str], dict[str, dict[str, float]]]]:
    """Each business with the probabilities of its NACE divisions and NAICS subsectors."""
    manifest = load_manifest(ROOT / "workers/section_reader/encoder.toml")
    assert manifest.activity is not None
    finder = ActivityFinder(ActivityIndex.load(manifest.activity.file))
    businesses = [json.loads(line) for line in SMALL.read_text(encoding="utf-8").splitlines()]
    encoder = Encoder(manifest.model.file)
    try:
        vectors = encoder.embed([business["text"] for business in businesses])
    finally:
        encoder.close()
    found = []
    for business, vector in zip(businesses, vectors, strict=True):
        levels: dict[str, dict[str, float]] = {taxonomy.NACE2: {}, taxonomy.NAICS2022: {}}
        for activity in finder.find(vector, business["text"]):
            if len(activity.code) == (2 if activity.scheme == taxonomy.NACE2 else 3):
                levels[activity.scheme][activity.code] = activity.probability
        found.append((business, levels))
    return found


def _right(answers: list[tuple[dict[str, str], dict[str, dict[str, float]]]], scheme: str, field: str) -> float:
    right = 0
    for business, levels in answers:
        best = max(levels[scheme], key=lambda code: levels[scheme][code], default="")
        right += bool(best) and taxonomy.top_of(scheme, best) == taxonomy.top_of(scheme, business[field])
    return right / len(answers)


def test_small_businesses_get_the_right_nace_section(
    answers: list[tuple[dict[str, str], dict[str, dict[str, float]]]],
) -> None:
    """Four of five small businesses are put into the right section of NACE."""
    assert _right(answers, taxonomy.NACE2, "nace2") >= 0.8


def test_small_businesses_get_the_right_naics_sector(
    answers: list[tuple[dict[str, str], dict[str, dict[str, float]]]],
) -> None:
    """Four of five small businesses are put into the right sector of NAICS."""
    assert _right(answers, taxonomy.NAICS2022, "naics2022") >= 0.8


def test_probabilities_of_a_level_are_shares(answers: list[tuple[dict[str, str], dict[str, dict[str, float]]]]) -> None:
    """The probabilities of one level of one scheme never sum to more than 1."""
    sums = [sum(codes.values()) for _, levels in answers for codes in levels.values()]
    assert all(0 < total <= 1.0001 for total in sums)
