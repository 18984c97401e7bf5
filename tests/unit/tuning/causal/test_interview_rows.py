"""Rows of the product's questions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tuning.causal.toy_reader import QUESTIONS, toy_sentences

from credit_signals.errors import ConfigurationError
from credit_signals.inference.questions import load_questions
from credit_signals.taxonomy.signals import SIGNAL_CODES
from credit_signals.tuning.causal.interviews import RowSettings, make_rows
from credit_signals.tuning.causal.template import all_prompts, template_hash
from credit_signals.tuning.teacher import Label, LabelledSentence

LONG = Path("workers/section_reader/questions")
CODES = [entry.code for entry in SIGNAL_CODES]
labels = st.lists(
    st.builds(
        Label,
        st.sampled_from(CODES),
        st.sampled_from(["occurred", "planned"]),
        st.sampled_from(["company", "other"]),
        st.sampled_from([1, 2, 3]),
    ),
    max_size=3,
    unique_by=lambda label: label.code,
)


@given(found=st.lists(labels, min_size=1, max_size=6), negatives=st.integers(0, 5))
@settings(max_examples=40)
def test_answers_are_the_labels(found: list[list[Label]], negatives: int) -> None:
    """Everything stated is asked and answered yes, at its sentence, and no more is denied than was wished."""
    questions = load_questions(QUESTIONS)
    sentences = [LabelledSentence(f"s{n}", "g", "en", "", f"Text {n}.", tuple(part)) for n, part in enumerate(found)]
    rows = list(make_rows(sentences, questions, RowSettings(negatives=negatives, longest=6, alone=0.0)))
    stated = Counter(label.code for part in found for label in part)
    yes = Counter(
        row.id.rsplit("/", 1)[1] for row in rows if row.messages[-1].content == " yes" and "group" not in row.id
    )
    assert set(yes) == set(stated)
    assert len({row.id for row in rows}) == len(rows)
    for section in {row.id.rsplit("/", 1)[0] for row in rows}:
        denied = [row for row in rows if row.id.startswith(f"{section}/") and row.messages[-1].content == " no"]
        assert len(denied) <= 2 * negatives


def test_the_sentence_asked_for_is_the_one_that_states_it() -> None:
    """Where a section has several sentences, the answer is the number of the one that states the event."""
    rows = list(make_rows(toy_sentences(90), load_questions(QUESTIONS), RowSettings(alone=0.0, longest=5)))
    pointing = [row for row in rows if row.id.endswith("insolvency/sentence")]
    assert pointing
    for row in pointing:
        line = next(line for line in row.messages[1].content.split("\n") if "Administrators" in line)
        assert line.startswith(f"[{row.messages[-1].content.strip()}] ")


@pytest.mark.parametrize("folder", [QUESTIONS, LONG])
def test_rows_fit_the_questions_that_they_are_made_of(folder: Path) -> None:
    """Rows carry the instruction and the prompts of the folder, long or short, and its hash."""
    questions = load_questions(folder)
    rows = list(make_rows(toy_sentences(30), questions, RowSettings()))
    assert template_hash(rows, folder, None) == questions.template.sha256
    assert rows[0].messages[0].content == questions.template.instruction


def test_short_questions_ask_for_the_same_codes_in_the_same_groups() -> None:
    """The short form is another wording, not another reader."""
    short, long = load_questions(QUESTIONS), load_questions(LONG)
    assert [[e.code for e in group.event] for group in short.groups] == [
        [e.code for e in group.event] for group in long.groups
    ]
    assert len(set(all_prompts(short))) == len(list(all_prompts(short)))


def test_a_split_stays_a_split() -> None:
    """No section mixes sentences of two splits, and the same seed gives the same rows."""
    sentences = toy_sentences(120)
    rows = list(make_rows(sentences, load_questions(QUESTIONS), RowSettings(longest=4)))
    where = {sentence.text: sentence.split(1) for sentence in sentences}
    for row in rows:
        shown = [line.split("] ", 1)[1] for line in row.messages[1].content.split("<|")[0].split("\n")[1:]]
        assert {where[text] for text in shown} == {row.split}
    assert rows == list(make_rows(sentences, load_questions(QUESTIONS), RowSettings(longest=4)))


def test_more_sentences_than_can_be_numbered_are_refused() -> None:
    """A section never holds more sentences than a reader numbers."""
    with pytest.raises(ConfigurationError, match="21 sentences"):
        list(make_rows([], load_questions(QUESTIONS), RowSettings(longest=21)))
