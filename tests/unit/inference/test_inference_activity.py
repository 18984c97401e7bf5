"""Activity codes from an embedding: mixing, levels and the crosswalk."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.inference.activity import ActivityFinder, words
from credit_signals.inference.formats import ActivityIndex

ROOF, BREAD, CAKE = np.eye(3, dtype=np.float32)
INDEX = ActivityIndex(
    naics_codes=("238160", "311811", "238160", "311812"),
    naics_emb=np.stack([ROOF, BREAD, ROOF, CAKE]),
    nace_from=("238160", "311811", "311812", "311812"),
    nace_to=("43.91", "10.71", "10.71", "10.72"),
    nace_share=np.array([1, 1, 0.5, 0.5], np.float32),
)


def shares(index: ActivityIndex, vector: np.ndarray, text: str = "") -> dict[str, float]:
    """Code -> probability, NAICS and NACE."""
    return {found.code: found.probability for found in ActivityFinder(index).find(vector, text)}


def test_the_nearest_description_wins_at_every_level() -> None:
    """The code, all that hold it, and its NACE class are near 1."""
    found = shares(INDEX, ROOF)
    for code in ("238", "2381", "23816", "238160", "43", "43.9", "43.91"):
        assert found[code] > 0.99


def test_a_level_sums_up_what_lies_below() -> None:
    """Between bread and cake the industry is sure, though the class is not."""
    found = shares(INDEX, (BREAD + CAKE) / np.float32(np.sqrt(2)))
    assert found["3118"] > 0.99
    assert found["311811"] == pytest.approx(0.5, abs=0.01)
    assert found["10.71"] == pytest.approx(0.75, abs=0.01)
    assert found["10.7"] > 0.99


def test_what_is_like_nothing_has_no_activity() -> None:
    """Below the least similarity, with the bar on top, nothing is said."""
    weak = np.array([0.4, 0.1, 0.1], np.float32)
    finder = ActivityFinder(INDEX)
    assert finder.find(weak, "")
    assert not finder.find(weak, "", bar=0.1)


def test_a_head_moves_the_shares_of_its_prefixes() -> None:
    """A head that knows better takes its weight, and codes below a prefix keep their ratio."""
    head = replace(
        INDEX,
        head_weight=0.5,
        head_codes=("23", "31"),
        head_w=np.zeros((2, 3), np.float32),
        head_b=np.array([-20, 20], np.float32),
    )
    found = shares(head, ROOF)
    assert found["238"] == pytest.approx(0.5, abs=0.01)
    assert found["311"] == pytest.approx(0.5, abs=0.01)
    assert found["311811"] == pytest.approx(found["311812"], abs=0.01)


def test_words_count_where_the_index_has_them() -> None:
    """With words alone, the text decides and the embedding does not."""
    lexical = replace(
        INDEX,
        embedding_weight=0.0,
        tfidf_weight=1.0,
        tfidf_vocab=("bread", "roof"),
        tfidf_idf=np.ones(2, np.float32),
        tfidf_data=np.ones(3, np.float32),
        tfidf_indices=np.array([1, 0, 1]),
        tfidf_indptr=np.array([0, 1, 2, 3, 3]),
    )
    assert shares(lexical, ROOF, "Bread, BREAD and more bread!")["311811"] > 0.9
    assert words("Bread & Wine-bar 24 x") == ["bread", "wine", "bar"]


def test_nace_texts_are_mixed_with_the_crosswalk() -> None:
    """Where NACE has texts of its own, they get their weight."""
    direct = replace(INDEX, nace_codes=("47.24", "43.91"), nace_emb=np.stack([BREAD, ROOF]), nace_weight=0.25)
    found = shares(direct, BREAD)
    assert found["47.24"] == pytest.approx(0.25, abs=0.01)
    assert found["10.71"] == pytest.approx(0.75, abs=0.01)


@given(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3))
def test_a_level_never_sums_to_more_than_one(numbers: list[float]) -> None:
    """Probabilities of one level of one scheme are a share of 1, whatever the vector."""
    sums: defaultdict[tuple[str, int], float] = defaultdict(float)
    for found in ActivityFinder(INDEX).find(np.array(numbers, np.float32), "text"):
        assert 0 <= found.probability <= 1
        sums[found.scheme, len(found.code)] += found.probability
    assert all(total <= 1 + 1e-5 for total in sums.values())


def test_the_nearest_sentence_is_quoted() -> None:
    """Of several sentences the one nearest to the best code is chosen."""
    finder = ActivityFinder(INDEX)
    assert finder.nearest(finder.find(BREAD, ""), np.stack([ROOF, BREAD, CAKE])) == 1
