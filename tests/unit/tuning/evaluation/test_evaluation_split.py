"""Which sentences are tested, and what a reader says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit_signals.domain import FoundSignal, Stance, Subject
from credit_signals.errors import ConfigurationError
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.tuning.answers import BASELINE
from credit_signals.tuning.dataset.blind import write_blind
from credit_signals.tuning.dataset.rows import SentenceRow
from credit_signals.tuning.evaluation.reading import baseline_answers, read_split
from credit_signals.tuning.evaluation.split import LabelledFiles, kind_of, load_split
from credit_signals.tuning.teacher import CODES, split_of

HIRING = [{"code": "hiring", "stance": "ongoing", "subject": "company", "severity": 1}]


def row(number: int, **values: Any) -> dict[str, Any]:
    """A sentence that says that the company recruits, or that it does not matter."""
    said = {"text": f"We are hiring {number} bakers.", "signals": HIRING}
    nothing = {"text": f"Our shop number {number} opens daily.", "signals": []}
    return {
        "id": f"s{number}",
        "src": f"site/{number}.test",
        "lang": "en",
        **(said if number % 2 else nothing),
        **values,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of labelled sentences."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def test_the_test_split_is_read_and_the_rest_may_be_learned(tmp_path: Path) -> None:
    """Documents of the test split are tested, those of the others taught; equal sentences have equal hashes."""
    path = write(tmp_path / "a.jsonl", [row(number) for number in range(60)])
    split = load_split(LabelledFiles((path,), seed=1))
    assert {each.id for each in split.sentences} == {
        f"s{number}" for number in range(60) if split_of(f"site/{number}.test", 1) == "test"
    }
    assert len(split.sentences) + sum(map(len, split.learned.values())) == 60
    assert load_split(LabelledFiles((tmp_path,), seed=1)).data_hash == split.data_hash
    other = write(tmp_path / "b.jsonl", [row(number, signals=[]) for number in range(60)])
    assert load_split(LabelledFiles((other,), seed=1)).data_hash != split.data_hash


def test_of_a_blind_file_every_sentence_is_tested(tmp_path: Path) -> None:
    """A blind file is tested whole; a document that is in it is not learned from elsewhere."""
    rows = [row(number) for number in range(60)]
    blind = write(tmp_path / "blind.jsonl", rows[:20])
    taught = write(
        tmp_path / "taught.jsonl",
        [row(number, id=f"t{number}") | {"text": f"Come in {number}."} for number in range(60)],
    )
    alone = load_split(LabelledFiles(blind=(blind,)))
    assert len(alone.sentences) == 20
    assert not alone.learned["train"]
    parts = load_split(LabelledFiles((taught,), (blind,), seed=3)).learned.values()
    learned = [each.group for part in parts for each in part]
    assert learned
    assert not set(learned) & {each["src"] for each in rows[:20]}


def test_a_blind_split_that_was_changed_is_refused(tmp_path: Path) -> None:
    """Where a manifest lies beside it, the file must be what it says."""
    path = tmp_path / "blind.jsonl"
    write_blind(path, [SentenceRow.model_validate(row(number)) for number in range(3)], 1)
    assert len(load_split(LabelledFiles(blind=(path,))).sentences) == 3
    path.chmod(0o644)
    path.write_text(path.read_text() + json.dumps(row(9)) + "\n")
    with pytest.raises(ConfigurationError, match="was changed"):
        load_split(LabelledFiles(blind=(path,)))


def test_nothing_to_test_is_refused(tmp_path: Path) -> None:
    """A file without a test sentence, and two sentences of one id, are named."""
    with pytest.raises(ConfigurationError, match="no sentence is in the test split"):
        load_split(LabelledFiles((write(tmp_path / "a.jsonl", []),)))
    twice = write(tmp_path / "b.jsonl", [row(1), row(3, id="s1")])
    with pytest.raises(ConfigurationError, match="same id"):
        load_split(LabelledFiles(blind=(twice,)))


def test_sources_have_kinds() -> None:
    """What stands before the slash is the kind of source; sentences made up for training are written."""
    assert [kind_of(each) for each in ("reuters/20004", "site/a.test", "sig-0001")] == ["reuters", "site", "written"]


def test_a_reader_is_read_as_in_a_worker(tmp_path: Path) -> None:
    """Found codes, probabilities, stance and subject become answers; what was left unread is counted."""
    rows = [*(row(number) for number in range(40)), row(41, lang="de")]
    split = load_split(LabelledFiles(blind=(write(tmp_path / "a.jsonl", rows),)))
    planned = FoundSignal(
        code="hiring",
        sentence=1,
        stance=Stance.PLANNED,
        subject=Subject.COMPANY,
        severity=1,
        confidence=0.7,
        margin=0.2,
    )  # fmt: skip
    reading = read_split(ScriptedReader({"hiring": planned}, languages=["en"]), split)
    answers = reading.answers
    assert reading.unread == {"language:de": 1}
    assert answers.found[:, CODES.index("hiring")].tolist() == [bool(number % 2) for number in range(40)] + [False]
    assert answers.probabilities is not None
    assert answers.probabilities.sum() == pytest.approx(20 * 0.7)
    assert answers.gold_attributes[1] == {"hiring": (Stance.ONGOING, Subject.COMPANY)}
    assert answers.attributes[1] == {"hiring": (Stance.PLANNED, Subject.COMPANY)}
    assert answers.cpu_seconds_per_section > 0
    assert answers.data_hash == split.data_hash


def test_the_baseline_learns_from_what_is_left(tmp_path: Path) -> None:
    """It finds a word that it was taught, in sentences of documents that it was not taught."""
    split = load_split(LabelledFiles((write(tmp_path / "a.jsonl", [row(number) for number in range(200)]),)))
    answers = baseline_answers(split)
    assert answers.reader_id == BASELINE
    assert np.array_equal(answers.gold, answers.found)
    assert answers.gold.any()
