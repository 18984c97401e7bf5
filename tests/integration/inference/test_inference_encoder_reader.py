"""The encoder reader on the real model, with small heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_samples import EXAMPLES, make_heads, make_section, sha256, write_small_encoder

from credit_signals.domain import PageRole, Prediction, SectionTask, Stance, Subject
from credit_signals.errors import ModelRefused
from credit_signals.inference.base import Reader
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.manifest import reader_id
from credit_signals.inference.opening import open_reader

ROOFS = make_section(["Hello!", "We repair and install roofs of houses.", "Call us."], role=PageRole.ABOUT)
NEWS = make_section(
    ["Good news first.", EXAMPLES["expansion"], EXAMPLES["layoffs"], "- 17 -"],
    role=PageRole.NEWS,
    heading_path=("News",),
)


def told(prediction: Prediction) -> list[tuple[str, int]]:
    """Code and sentence of each signal."""
    return [(signal.code, signal.sentence) for signal in prediction.signals]


def test_signals_stand_on_their_sentences(encoder_reader: Reader) -> None:
    """Each code is found on the sentence that states it, with stance, subject, severity, confidence and margin."""
    (prediction,) = encoder_reader.read([NEWS])
    assert told(prediction) == [("expansion", 2), ("layoffs", 3)]
    first, second = prediction.signals
    assert (first.stance, second.stance) == (Stance.PLANNED, Stance.ONGOING)  # the heads' bias by code
    assert first.subject == Subject.COMPANY
    assert first.severity == 2
    assert first.confidence - 0.5 == pytest.approx(first.margin)
    assert prediction.task_id == SectionTask.build(NEWS, encoder_reader.id).id
    assert (prediction.content_hash, prediction.reader_id) == (NEWS.content_hash, encoder_reader.id)


def test_activity_comes_from_pages_that_tell_it(encoder_reader: Reader) -> None:
    """A section on roofs gives roofing in both schemes with the sentence that says so; news gives none."""
    about, news = encoder_reader.read([ROOFS, NEWS])
    best = {activity.code: activity for activity in about.activities if activity.probability > 0.5}
    assert {"238", "238160", "43", "43.91"} <= set(best)
    assert best["43.91"].scheme == "NACE2"
    assert {activity.sentences for activity in about.activities} == {(2,)}
    assert not news.activities


def test_a_section_far_from_every_trade_has_no_activity(encoder_reader: Reader) -> None:
    """Where nothing is like a description, no code is guessed."""
    (prediction,) = encoder_reader.read([make_section(["The moon rose over the silent quantum lake."])])
    assert not prediction.activities


def test_other_languages_are_reported_unread(encoder_reader: Reader) -> None:
    """Polish text is not read and says so; text of unknown language is read."""
    polish = make_section(["Ogłosiliśmy upadłość."], language="pl")
    unknown = make_section([EXAMPLES["layoffs"]], language="")
    first, second = encoder_reader.read([polish, unknown])
    assert first.unread_reason == "language:pl"
    assert not first.signals
    assert told(second) == [("layoffs", 1)]
    assert second.unread_reason == ""


def test_hostile_sections_are_read(encoder_reader: Reader) -> None:
    """No sentence, no letters, NUL, emoji, surrogates and giant sentences give predictions in the same order."""
    hostile = [[], [""], ["\0"], ["😀 !!!", "123"], ["a" * 100_000], ["word " * 50_000], ["\ud800x"], ["x\0y" * 300]]
    sections = [make_section(sentences) for sentences in hostile]
    predictions = encoder_reader.read(sections)
    assert [prediction.content_hash for prediction in predictions] == [section.content_hash for section in sections]
    assert encoder_reader.read([]) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5), st.text(max_size=30))
def test_any_text_is_read(encoder_reader: Reader, sentences: list[str], heading: str) -> None:
    """Whatever a website holds, there is one prediction, and its sentences are the section's."""
    section = make_section(sentences, heading_path=(heading,))
    (prediction,) = encoder_reader.read([section])
    numbers = {sentence.number for sentence in section.sentences}
    assert {signal.sentence for signal in prediction.signals} <= numbers
    assert {number for activity in prediction.activities for number in activity.sentences} <= numbers


def test_a_large_batch_gives_the_same_answers(encoder_reader: Reader) -> None:
    """200 sections at once, many alike, are answered as each alone."""
    codes = ["layoffs" if number % 2 else "expansion" for number in range(200)]
    sections = [make_section([f"Text {n % 20}.", EXAMPLES[code]], url=f"https://a/{n}") for n, code in enumerate(codes)]
    together = encoder_reader.read(sections)
    assert [told(prediction) for prediction in together] == [[(code, 2)] for code in codes]
    for number in range(0, 200, 33):
        (alone,) = encoder_reader.read([sections[number]])
        assert told(alone) == [(codes[number], 2)]
        assert alone.signals[0].confidence == pytest.approx(together[number].signals[0].confidence, abs=0.02)


def test_the_id_needs_no_model_and_follows_the_files(encoder: Encoder, encoder_manifest: Path, tmp_path: Path) -> None:
    """The id is known before the model is loaded, and other heads, version or languages give another."""
    reader = open_reader(encoder_manifest)
    assert reader.id == reader_id(encoder_manifest)
    assert reader.id.startswith("7-")
    reader.close()
    again = write_small_encoder(tmp_path, encoder)
    text = again.read_text()
    ids = {reader_id(again)}
    for old, new in (('"7"', '"8"'), ('["en"]', '["en", "fr"]'), ('sha256 = "', 'sha256 = "' + "0" * 64 + '" # ')):
        again.write_text(text.replace(old, new))
        ids.add(reader_id(again))
    assert len(ids) == 4


def test_heads_of_another_width_are_refused(encoder: Encoder, tmp_path: Path) -> None:
    """Heads that were trained on another encoder do not fit."""
    manifest = write_small_encoder(tmp_path, encoder)
    old = sha256(tmp_path / "heads.npz")
    heads = make_heads(encoder)
    matrices = ("code_w", "stance_w", "subject_w", "severity_w", "attention_w")
    narrow = {name: getattr(heads, name)[:, :10] for name in matrices}
    replace(heads, **narrow).save(tmp_path / "heads.npz")
    manifest.write_text(manifest.read_text().replace(old, sha256(tmp_path / "heads.npz")))
    with pytest.raises(ModelRefused, match="width"):
        open_reader(manifest)
