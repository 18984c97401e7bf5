"""Figures of readers with their intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.domain import Stance, Subject
from credit_signals.tuning.answers import Answers
from credit_signals.tuning.evaluation.certainty import abstention, reliability
from credit_signals.tuning.evaluation.signal_figures import measure_reader
from credit_signals.tuning.metrics import calibration_error, code_metrics
from credit_signals.tuning.resampling import Resampling
from credit_signals.tuning.teacher import CODES


def some_answers(rows: int, seed: int, probabilities: bool = True) -> Answers:
    """Answers of a middling reader to so many sentences in documents of three."""
    dice = np.random.default_rng(seed)
    gold = dice.random((rows, len(CODES))) < 0.08
    told = np.clip(np.where(gold, 0.65, 0.12) + dice.normal(0, 0.2, gold.shape), 0, 1)
    return Answers(
        reader_id="reader",
        data_hash="split",
        cpu_seconds_per_section=0.018,
        ids=tuple(f"s{row}" for row in range(rows)),
        groups=tuple(f"{'reuters' if row % 2 else 'site'}/{row // 6}" for row in range(rows)),
        languages=tuple(("en", "en", "de")[row % 3] for row in range(rows)),
        gold=gold,
        found=told >= 0.4,
        probabilities=told if probabilities else None,
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(0, 10_000))
def test_figures_are_those_of_training_and_lie_in_their_intervals(rows: int, seed: int) -> None:
    """Evaluation and training tell one truth; the interval holds the value, and all are shares."""
    answers = some_answers(rows, seed)
    found = measure_reader("reader", answers, 0.04, seed)
    wanted = code_metrics(answers.gold, answers.found)
    assert found.whole.micro_f1.value == pytest.approx(wanted["micro_f1"], abs=1e-4)
    assert found.whole.precision.value == pytest.approx(wanted["precision"], abs=1e-4)
    assert found.whole.recall.value == pytest.approx(wanted["recall"], abs=1e-4)
    assert found.whole.false_flags.value == pytest.approx(wanted["false_flag_rate"], abs=1e-4)
    assert found.whole.macro_codes == wanted["macro_codes"]
    assert (found.whole.macro_f1.value if found.whole.macro_f1 else 0) == pytest.approx(wanted["macro_f1"], abs=1e-4)
    for code, each in found.per_code.items():
        assert each.f1.value == pytest.approx(wanted["per_code"][code]["f1"], abs=1e-4)
        for one in (each.precision, each.recall, each.f1):
            assert 0 <= one.low <= one.high <= 1
    assert found.reliability is not None
    assert answers.probabilities is not None
    error = calibration_error(answers.probabilities, answers.gold)
    assert found.reliability.error.value == pytest.approx(error, abs=1e-4)


def test_parts_add_up() -> None:
    """Languages and kinds of source each hold every sentence; rare ones stand together."""
    answers = some_answers(120, 1)
    languages = tuple("fr" if row == 5 else language for row, language in enumerate(answers.languages))
    found = measure_reader("reader", replace(answers, languages=languages), 0.04, 1)
    assert list(found.languages) == ["en", "de", "others"]
    assert found.languages["others"].sentences == 1
    assert set(found.kinds) == {"reuters", "site"}
    for parts in (found.languages, found.kinds):
        assert sum(each.sentences for each in parts.values()) == 120
        assert sum(each.gold for each in parts.values()) == found.whole.gold


def test_intervals_narrow_with_documents_and_not_with_sentences() -> None:
    """Ten equal sentences of one document tell no more than one: documents are drawn, not sentences."""
    right = np.arange(40) % 2 == 0
    alone = Resampling([f"d{row}" for row in range(40)]).ratio(right, np.ones(40))
    repeated = Resampling([f"d{row // 10}" for row in range(400)]).ratio(np.repeat(right, 10), np.ones(400))
    many = Resampling([f"d{row}" for row in range(400)]).ratio(np.repeat(right, 10), np.ones(400))
    assert repeated == alone
    assert many.high - many.low < 0.5 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    """Intervals can be repeated."""
    answers = some_answers(60, 3)
    assert measure_reader("a", answers, 0.04, 1) == measure_reader("a", answers, 0.04, 1)


def test_stance_and_subject_are_counted_over_gold_signals() -> None:
    """What the reader tells of gold signals is right or wrong; what it does not tell is only said to be missing."""
    first = (Stance.PLANNED, Subject.COMPANY)
    gold = ({"hiring": first}, {"hiring": first}, {"recall": first}, {})
    told = ({"hiring": first}, {"hiring": (Stance.OCCURRED, Subject.COMPANY)}, {}, {"layoffs": first})
    found = measure_reader(
        "a", replace(some_answers(4, 1), gold_attributes=gold, attributes=told), 0.04, 1
    ).attributes  # fmt: skip
    assert found is not None
    assert found.told == pytest.approx(2 / 3)
    assert (found.stance.value, found.subject.value) == (0.5, 1.0)
    assert measure_reader("a", some_answers(4, 1), 0.04, 1).attributes is None


def test_cost_is_priced() -> None:
    """CPU-seconds become dollars: per million sections, and per signal that was found and is gold."""
    answers = some_answers(90, 1)
    cost = measure_reader("a", answers, 0.04, 1).cost
    assert cost.dollars_per_million_sections == pytest.approx(0.018e6 / 3600 * 0.04)
    hits = int((answers.gold & answers.found).sum())
    assert cost.cpu_seconds_per_accepted_signal == pytest.approx(0.018 * 90 / hits)
    assert cost.dollars_per_thousand_accepted_signals == pytest.approx(0.018 * 90 / hits * 1000 / 3600 * 0.04)


def test_abstention_leaves_the_surest() -> None:
    """With all answered the accuracy is that of all; sure answers that are right come first; ties are shared."""
    gold = np.zeros((4, len(CODES)), dtype=bool)
    gold[:, 0] = True
    told = np.zeros((4, len(CODES)))
    told[:, 0] = (0.9, 0.8, 0.45, 0.3)
    answers = replace(some_answers(4, 1), gold=gold, found=told >= 0.5, probabilities=told)
    curve = {point.answered: point.accuracy for point in abstention(answers)}
    assert (curve[1.0], curve[0.5], curve[0.25]) == (0.5, 1.0, 1.0)
    equal = replace(answers, probabilities=np.full_like(told, 0.5), found=gold & (np.arange(4) < 1)[:, None])
    assert {round(point.accuracy, 6) for point in abstention(equal)} == {0.25}


def test_what_was_not_read_is_the_least_sure() -> None:
    """A sentence in a language that the reader does not know is no sure answer that it states nothing."""
    told = np.full((4, len(CODES)), 0.1)
    told[3] = 0.0
    gold = np.zeros_like(told, dtype=bool)
    gold[3, 0] = True
    answers = replace(some_answers(4, 1), gold=gold, found=gold & False, probabilities=told)
    curve = {point.answered: point.accuracy for point in abstention(answers)}
    assert (curve[1.0], curve[0.75], curve[0.25]) == (0.75, 1.0, 1.0)


def test_readers_without_probabilities_have_no_curves() -> None:
    """Neither calibration nor abstention is made up."""
    answers = some_answers(30, 1, probabilities=False)
    assert reliability(answers, Resampling(answers.groups)) is None
    assert abstention(answers) == ()


def test_probabilities_of_found_signals_alone_are_told_apart() -> None:
    """A reader that tells probabilities only of what it states is not compared as if it told all."""
    answers = some_answers(60, 1)
    assert answers.probabilities is not None
    stated = replace(answers, probabilities=np.where(answers.found, answers.probabilities, 0.0))
    draws = Resampling(answers.groups)
    assert [found.stated_only for each in (answers, stated) if (found := reliability(each, draws))] == [False, True]


def test_a_split_without_gold_is_survived() -> None:
    """A split in which nothing is gold gives zeros, not an error."""
    answers = some_answers(20, 1)
    found = measure_reader("a", replace(answers, gold=np.zeros_like(answers.gold)), 0.04, 1)
    assert found.whole.micro_f1.value == 0
    assert found.whole.macro_f1 is None
