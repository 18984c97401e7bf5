"""The reader without a model."""

from __future__ import annotations

import pytest

from credit_signals.domain import FoundActivity, FoundSignal, PageRole, Section, Sentence, Stance, Subject
from credit_signals.errors import ReadFailed
from credit_signals.inference.scripted import ScriptedReader

TEXT = "All is well. A strike began. Roofs since 1990."
SECTION = Section.build(
    company_id="c",
    url="https://a.example/",
    role=PageRole.HOME,
    text=TEXT,
    sentences=tuple(Sentence(number=n, start=a, end=b) for n, a, b in ((1, 0, 12), (2, 13, 28), (3, 29, 46))),
    language="en",
)


def test_it_finds_what_its_script_says() -> None:
    """Keywords give signals on their sentences and activities on the section."""
    denied = FoundSignal(
        code="insolvency", sentence=9, stance=Stance.DENIED, subject=Subject.COMPANY, severity=3, confidence=1
    )
    roofs = FoundActivity(scheme="NACE2", code="43.91", probability=0.8)
    reader = ScriptedReader({"STRIKE": "labour_dispute", "well": denied}, {"roofs": roofs})
    (prediction,) = reader.read([SECTION])
    assert [(s.code, s.sentence, s.stance) for s in prediction.signals] == [
        ("insolvency", 1, Stance.DENIED),
        ("labour_dispute", 2, Stance.OCCURRED),
    ]
    assert prediction.activities == (roofs,)
    assert reader.read_sections == 1


def test_equal_scripts_have_equal_ids() -> None:
    """The id follows the script."""
    assert (
        ScriptedReader({"a": "recall"}).id == ScriptedReader({"a": "recall"}).id != ScriptedReader({"b": "recall"}).id
    )


def test_it_knows_languages_and_fails_as_told() -> None:
    """Unread languages and failures can be played."""
    assert ScriptedReader({}, languages=["de"]).read([SECTION])[0].unread_reason == "language:en"
    with pytest.raises(ReadFailed, match=SECTION.id):
        ScriptedReader({}, fails_on=["strike"]).read([SECTION])
