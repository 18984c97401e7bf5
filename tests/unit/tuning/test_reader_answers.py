"""The file of a reader's answers on the test split."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.domain import Stance, Subject
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.answers import DECIMALS, Answers, load_answers, save_answers
from credit_signals.tuning.teacher import CODES

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)  # printable, in any script
ATTRIBUTES = st.dictionaries(
    st.sampled_from(CODES), st.tuples(st.sampled_from(Stance), st.sampled_from(Subject)), max_size=2
)


@st.composite
def some_answers(draw: st.DrawFn) -> Answers:
    """Any answers: no sentence or several, with probabilities or without, ids in any script."""
    ids = draw(st.lists(TEXT, max_size=6, unique=True))
    n = len(ids)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return Answers(
        reader_id=draw(TEXT),
        data_hash=draw(TEXT),
        cpu_seconds_per_section=draw(st.floats(0, 1e6)),
        ids=tuple(ids),
        groups=tuple(draw(st.lists(TEXT, min_size=n, max_size=n))),
        languages=tuple(draw(st.lists(st.sampled_from(["", "en", "de"]), min_size=n, max_size=n))),
        gold=rng.random((n, len(CODES))) < 0.2,
        found=rng.random((n, len(CODES))) < 0.2,
        probabilities=rng.random((n, len(CODES))) if n and draw(st.booleans()) else None,
        gold_attributes=tuple(draw(st.lists(ATTRIBUTES, min_size=n, max_size=n))) if draw(st.booleans()) else (),
        attributes=tuple(draw(st.lists(ATTRIBUTES, min_size=n, max_size=n))) if draw(st.booleans()) else (),
    )


@settings(max_examples=60, deadline=None)
@given(some_answers())
def test_what_is_saved_is_loaded(answers: Answers) -> None:
    """A file gives back every part; probabilities to the decimals that it keeps."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.jsonl"
        save_answers(answers, path)
        loaded = load_answers(path)
        assert [each.name for each in Path(folder).iterdir()] == ["answers.jsonl"]
    same = ("reader_id", "data_hash", "cpu_seconds_per_section", "ids", "groups", "languages", "gold_id")
    for name in (*same, "gold_attributes", "attributes"):
        assert getattr(loaded, name) == getattr(answers, name)
    assert (loaded.gold == answers.gold).all()
    assert (loaded.found == answers.found).all()
    if answers.probabilities is None:
        assert loaded.probabilities is None
    else:
        assert np.allclose(loaded.probabilities, answers.probabilities, atol=10**-DECIMALS)


def lines(*sentences: dict[str, Any], **header: Any) -> list[str]:
    """The lines of a file of two codes."""
    first = {
        "format": "credit-signals-answers-1",
        "reader_id": "reader",
        "data_hash": "split",
        "cpu_seconds_per_section": 0.1,
        "codes": ["hiring", "recall"],
        "sentences": len(sentences),
    }
    return [json.dumps(line) for line in (first | header, *sentences)]


def sentence(**values: Any) -> dict[str, Any]:
    """A sentence of a file."""
    return {"id": "s1", "group": "g1", "language": "en", "gold": ["hiring"], "found": []} | values


def test_a_file_of_fewer_codes_is_read(tmp_path: Path) -> None:
    """Codes that the taxonomy got later count as never stated and never found."""
    path = tmp_path / "old.jsonl"
    path.write_text("\n".join(lines(sentence(probabilities=[0.25, 0.5]))))
    loaded = load_answers(path)
    assert [CODES[column] for column in np.flatnonzero(loaded.gold[0])] == ["hiring"]
    assert loaded.probabilities is not None
    assert loaded.probabilities[0, CODES.index("recall")] == 0.5
    assert loaded.probabilities.sum() == 0.75


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ([""], "line 1: not an answer"),
        (["{}"], "line 1: not .*: format"),
        (lines(format="credit-signals-answers-9"), "line 1: not .*: format"),
        (lines(reader_id=""), "line 1: not .*: reader_id"),
        (lines(codes=["hiring", "bad_luck"]), "bad_luck"),
        (lines(cpu_seconds_per_section=-1), "line 1: not .*: cpu_seconds_per_section"),
        (lines(cpu_seconds_per_section=float("nan")), "line 1: not .*: cpu_seconds_per_section"),
        (lines(sentence(probabilities=[0.5, float("nan")])), "line 2: not an answer: probabilities.1"),
        (lines(sentence(), sentences=2), "holds 1 sentences where its header says 2"),
        (lines(sentence(), sentence()), "stands twice"),
        (lines(sentence(found=["layoffs"])), "line 2: sentence s1: 'layoffs'"),
        (lines(sentence(attributes={"layoffs": ["planned", "company"]})), "line 2: sentence s1: 'layoffs'"),
        (lines(sentence(attributes={"hiring": ["done", "company"]})), "line 2: not an answer: attributes.hiring.0"),
        (lines(sentence(attributes={}), sentence(id="s2")), "some sentences have attributes"),
        (lines(sentence(probabilities=[0.5])), "line 2: sentence s1: 1 probabilities for 2 codes"),
        (lines(sentence(probabilities=[0.5, 1.5])), "line 2: not an answer: probabilities.1"),
        (lines(sentence(probabilities=[0.5, 0.5]), sentence(id="s2")), "some sentences have probabilities"),
        (lines(sentence(text="a quotation")), "line 2: not an answer: text"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: list[str], message: str) -> None:
    """What is wrong is named with its file and line, so that nothing is compared by mistake."""
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(text))
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_answers(path)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        load_answers(tmp_path / "nowhere.jsonl")


def test_no_probability_above_one_is_written(tmp_path: Path) -> None:
    """A mistake of the writer is found when it is made; no file is left."""
    table = np.zeros((1, len(CODES)), dtype=bool)
    wrong = Answers("reader", "split", 0.1, ("s",), ("g",), ("en",), table, table, np.full((1, len(CODES)), np.nan))
    with pytest.raises(ValueError, match="probabilities"):
        save_answers(wrong, tmp_path / "answers.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_tables_must_fit() -> None:
    """Answers of different lengths are never put together."""
    table = np.zeros((1, len(CODES)), dtype=bool)
    with pytest.raises(ValueError, match="every part needs 2 sentences"):
        Answers("reader", "split", 0.1, ("s", "t"), ("g", "g"), ("", ""), table, table)
