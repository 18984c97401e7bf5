"""Reading labelled sentences and splitting them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.rows import write_lines
from credit_signals.tuning.teacher import Label, LabelledSentence, load_teacher

SHIPPED = Path(__file__).parents[3] / "workers/section_reader/training"


def _write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_a_line_becomes_a_labelled_sentence(tmp_path: Path) -> None:
    """Text, context, language, document and labels are taken as they stand."""
    signal = {"code": "layoffs", "stance": "denied", "subject": "company", "severity": 2}
    file = _write(
        tmp_path / "a.jsonl", {"id": "1", "src": "reuters/7", "prev": "Before.", "text": "T", "signals": [signal]}
    )
    assert load_teacher([file]) == [
        LabelledSentence("1", "reuters/7", "en", "Before.", "T", (Label("layoffs", "denied", "company", 2),))
    ]


def test_equal_sentences_are_kept_once(tmp_path: Path) -> None:
    """A sentence that two files hold is learnt once, so that it cannot fall into two splits."""
    record = {"id": "1", "text": "Same", "signals": []}
    files = [_write(tmp_path / "a.jsonl", record), _write(tmp_path / "b.jsonl", record | {"id": "2"})]
    assert [sentence.id for sentence in load_teacher(files)] == ["1"]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "1", "signals": []},
        {
            "id": "1",
            "text": "T",
            "signals": [{"code": "rain", "stance": "denied", "subject": "company", "severity": 1}],
        },
        {
            "id": "1",
            "text": "T",
            "signals": [{"code": "recall", "stance": "maybe", "subject": "company", "severity": 1}],
        },
        {
            "id": "1",
            "text": "T",
            "signals": [{"code": "recall", "stance": "denied", "subject": "company", "severity": 9}],
        },
        {
            "id": "1",
            "text": "T",
            "signals": [{"code": "recall", "stance": "denied", "subject": "company", "severity": float("inf")}],
        },
        [],
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, record: object) -> None:
    """A label that the product does not know is refused with file and line."""
    file = _write(tmp_path / "bad.jsonl", {"id": "0", "text": "fine", "signals": []}, record)
    with pytest.raises(ConfigurationError, match=r"bad\.jsonl, line 2"):
        load_teacher([file])


def test_a_text_with_line_separators_is_one_sentence(tmp_path: Path) -> None:
    """Only a line feed ends a line of the file: pages hold other separators, and labelling writes them as they are."""
    file = tmp_path / "a.jsonl"
    write_lines(file, [{"id": "1", "text": "One\u2028two\u0085three", "signals": []}])
    assert [sentence.text for sentence in load_teacher([file])] == ["One\u2028two\u0085three"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is named in one sentence."""
    with pytest.raises(ConfigurationError, match=r"absent\.jsonl cannot be read"):
        load_teacher([tmp_path / "absent.jsonl"])


@given(st.text(min_size=1), st.integers(0, 9))
def test_a_document_stays_in_one_split(group: str, seed: int) -> None:
    """All sentences of a document are in the same split for a seed."""
    splits = {LabelledSentence(str(n), group, "en", "", f"{n}", ()).split(seed) for n in range(5)}
    assert len(splits) == 1


def test_splits_have_their_sizes() -> None:
    """About four fifths are for training, a tenth each for validation and test."""
    splits = [LabelledSentence(str(n), str(n), "en", "", "", ()).split(1) for n in range(5000)]
    assert 0.77 < splits.count("train") / 5000 < 0.83
    assert 0.08 < splits.count("test") / 5000 < 0.12


def test_the_projects_own_sentences_are_well_labelled() -> None:
    """The committed training sentences load, are distinct in their language, and hold every code and many of none."""
    files = sorted(SHIPPED.glob("website_*.jsonl"))
    sentences = load_teacher(files)
    for file in files:  # a name is the same in two languages
        assert len(load_teacher([file])) == len(file.read_text(encoding="utf-8").splitlines())
    assert len({sentence.id for sentence in sentences}) == len(sentences)
    assert len({label.code for sentence in sentences for label in sentence.labels}) == 28
    assert sum(not sentence.labels for sentence in sentences) > 250
    assert all(sentence.from_website for sentence in sentences)
