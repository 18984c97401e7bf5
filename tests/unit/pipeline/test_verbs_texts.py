"""Texts straight to a reader."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import FoundActivity
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.pipeline import read_lines

LONG = " ".join(f"Hall {number} makes flour for bakers in town." for number in range(200))


def _reader() -> ScriptedReader:
    return ScriptedReader(
        {"insolvency": "insolvency"},
        {"flour": FoundActivity(scheme="NACE2", code="C", probability=0.8, sentences=(1,))},
        languages=["en"],
        fails_on=["unreadable"],
    )


def _answers(*texts: dict[str, Any] | str) -> list[dict[str, Any]]:
    lines = [text if isinstance(text, str) else json.dumps(text) for text in texts]
    return list(read_lines(_reader(), lines))


def test_quotes_are_exact_in_the_text_as_it_came() -> None:
    """Offsets count code points of the original text: emoji, line breaks and tabs before the quote included."""
    text = "\n\n🚀🚀 Great news!\r\n\tWe are here.\n\n  The mill filed for insolvency on Monday. 😀 More soon."
    (answer,) = _answers({"id": "a", "text": text})
    (signal,) = answer["signals"]
    evidence = signal["evidence"]
    assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
    assert "insolvency" in evidence["quote"]
    assert signal["code"] == "insolvency"


def test_long_texts_are_cut_and_their_offsets_still_hold() -> None:
    """A quote in the last of many sections points into the whole text."""
    text = f"{LONG} The mill filed for insolvency."
    (answer,) = _answers({"id": "a", "text": text})
    evidence = answer["signals"][0]["evidence"]
    assert evidence["start"] > len(LONG)
    assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
    assert [activity["code"] for activity in answer["activities"]] == ["C"]
    for quote in answer["activities"][0]["evidence"]:
        assert text[quote["start"] : quote["end"]] == quote["quote"]


def test_order_is_kept_over_many_batches() -> None:
    """One answer per line, in the order of the lines, whatever the batch."""
    answers = _answers(*({"id": number, "text": f"Text {number}."} for number in range(100)))
    assert [answer["id"] for answer in answers] == list(range(100))


def test_a_bad_line_answers_with_its_number() -> None:
    """A line that is no such object is answered with an error, and its neighbours are read."""
    answers = _answers(
        {"id": "a", "text": "We filed for insolvency."},
        "{not json",
        '{"id": "c"}',
        "",
        {"id": "e", "text": "We filed for insolvency."},
    )
    assert [bool(answer.get("signals")) for answer in answers] == [True, False, False, False, True]
    assert [answer["error"].split(":")[0] for answer in answers[1:4]] == ["line 2", "line 3", "line 4"]


def test_a_text_that_cannot_be_read_fails_alone() -> None:
    """The reader's failure on one text costs no other text its answer."""
    bad, good = _answers({"id": "a", "text": "unreadable"}, {"id": "b", "text": "We filed for insolvency."})
    assert bad["unread_reason"] == "not read"
    assert [signal["code"] for signal in good["signals"]] == ["insolvency"]


def test_a_language_that_the_reader_does_not_know_is_told() -> None:
    """Such a text has no signals and says why."""
    (answer,) = _answers({"id": "a", "text": "Die Mühle hat am Montag Insolvenz angemeldet.", "language": "de"})
    assert answer["unread_reason"] == "language:de"
    assert answer["signals"] == []


def test_empty_texts_are_answered() -> None:
    """Nothing in, nothing found."""
    for answer in _answers({"id": "a", "text": ""}, {"id": "b", "text": " \n\t "}):
        assert (answer["signals"], answer["activities"], answer["unread_reason"]) == ([], [], "")


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_text_gives_one_answer_with_exact_quotes(texts: list[str]) -> None:
    """Whatever stands in a text, it is answered and its quotes are its own."""
    texts = [f"{text} insolvency" for text in texts]
    answers = _answers(*({"id": index, "text": text} for index, text in enumerate(texts)))
    assert [answer["id"] for answer in answers] == list(range(len(texts)))
    for text, answer in zip(texts, answers, strict=True):
        for signal in answer["signals"]:
            evidence = signal["evidence"]
            assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
