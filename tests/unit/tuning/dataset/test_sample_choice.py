"""Which sentences a sample takes."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_examples import candidate

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.candidates import NOTHING, Smallest, band
from credit_signals.tuning.dataset.sampling import Sampler, SampleSettings, deal


def test_rare_codes_are_taken_as_often_as_frequent_ones() -> None:
    """Nearly all sentences state nothing, yet every code gets its turn."""
    plenty = [candidate(number) for number in range(900)]
    rare = [candidate(1000 + number, code="insolvency", band="far") for number in range(20)]
    sample = Sampler(SampleSettings(count=40, random_share=0.0)).draw(plenty + rare)
    assert sample.strata == {NOTHING: 20, "insolvency": 20}


def test_uncertain_sentences_come_before_certain_ones_in_each_round() -> None:
    """Of one code the sentence nearest to its threshold is dealt first."""
    entries = [candidate(1, "recall", "far"), candidate(2, "recall", "near"), candidate(3, "recall", "middle")]
    order = [given.row.id for given, _ in deal([(entry, entry.strata[0]) for entry in entries])]
    assert order[0] == "s2"


def test_the_random_share_is_marked_and_blind_to_codes() -> None:
    """A fifth is drawn as the sentences fall, so that frequencies can be told from it."""
    crowd = [candidate(number, "hiring" if number % 10 == 0 else NOTHING, "near") for number in range(2000)]
    sample = Sampler(SampleSettings(count=500, random_share=0.4)).draw(crowd)
    marked = [row for row in sample.rows if row.record()["random"]]
    assert len(sample.rows) == 500
    assert len(marked) == 200
    found = Counter(row.record()["stratum"]["code"] for row in marked)
    assert 8 <= found["hiring"] <= 36  # 20 expected; 200 draws at one in ten
    assert all(row.record()["random"] is False for row in sample.rows[200:])


def test_the_choice_does_not_depend_on_the_order_of_the_store() -> None:
    """Equal sentences and settings give an equal sample, however they come."""
    crowd = [candidate(number, ("hiring", "recall", NOTHING)[number % 3]) for number in range(300)]
    mixed = list(crowd)
    random.Random(3).shuffle(mixed)
    first, second = (Sampler(SampleSettings(count=50)).draw(given) for given in (crowd, mixed))
    assert [row.id for row in first.rows] == [row.id for row in second.rows]


def test_another_seed_gives_another_sample() -> None:
    """The seed decides."""
    crowd = [candidate(number) for number in range(300)]
    first, second = (Sampler(SampleSettings(count=50, seed=seed)).draw(crowd) for seed in (1, 2))
    assert {row.id for row in first.rows} != {row.id for row in second.rows}


def test_a_sentence_is_taken_once_though_it_has_two_codes() -> None:
    """No id stands twice in a sample."""
    one = candidate(1, "hiring", "near")
    both = type(one)(one.row, (*one.strata, *candidate(1, "expansion", "near").strata))
    assert [row.id for row in Sampler(SampleSettings(count=5)).draw([both]).rows] == ["s1"]


def test_two_sentences_with_one_id_are_refused() -> None:
    """Labels could not be told apart; nothing is lost in silence."""
    with pytest.raises(ConfigurationError, match="two sentences have the id s1"):
        Sampler(SampleSettings(count=5)).draw([candidate(1), candidate(1, text="Another sentence altogether.")])


def test_nothing_of_closed_documents_or_near_to_known_texts_is_taken() -> None:
    """What a blind split holds stays out of later samples."""
    known = "Our bakery in Harrogate won a gold medal in 2019."
    near = candidate(1, text="Our bakery in Harrogate won a gold medal in 2021!")
    closed = candidate(2, group="doc/closed")
    sample = Sampler(SampleSettings(count=5), [known], lambda group: group == "doc/closed").draw(
        [near, closed, candidate(3)]
    )
    assert [row.id for row in sample.rows] == ["s3"]
    assert (sample.near_duplicates, sample.held_back) == (1, 1)


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 20))
def test_the_smallest_ranks_are_kept(ranks: list[int], limit: int) -> None:
    """The bounded pool holds what sorting all of them would give, each rank once."""
    pool = Smallest(limit)
    for number in ranks:
        pool.offer(number, candidate(number))
    assert [given.row.id for given in pool.ranked()] == [f"s{number}" for number in sorted(set(ranks))[:limit]]


def test_bands_count_the_distance_to_the_threshold_on_both_sides() -> None:
    """Just below the threshold is as uncertain as just above."""
    assert [band(margin) for margin in (0.05, -0.05, 0.2, 0.5)] == ["near", "near", "middle", "far"]
