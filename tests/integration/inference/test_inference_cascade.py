"""The cascade on the real llama.cpp: a small encoder and a causal model with random weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_samples import EXAMPLES, make_section, write_generative_manifest

from credit_signals.domain import Prediction
from credit_signals.errors import ModelRefused
from credit_signals.inference.base import Doubt, Reader
from credit_signals.inference.encoder_reader import EncoderReader
from credit_signals.inference.generative_reader import GenerativeReader
from credit_signals.inference.manifest import reader_id
from credit_signals.inference.opening import open_reader

NEWS = make_section(["Good news first.", *EXAMPLES.values(), "We sell bread."], heading_path=("News",))


def write_cascade(folder: Path, encoder: Path, llama: Path, rules: str) -> Path:
    """A cascade of the two models."""
    second = write_generative_manifest(folder, llama)
    path = folder / "cascade.toml"
    path.write_text(f'kind = "cascade"\nversion = "1"\ncheap = "{encoder}"\nsecond = "{second}"\n{rules}')
    return path


def told(prediction: Prediction) -> set[tuple[str, int]]:
    """Code and sentence of each signal and of what is unsure."""
    return {(found.code, found.sentence) for found in (*prediction.signals, *prediction.unsure)}


def test_without_doubt_the_cascade_is_the_encoder(
    encoder_manifest: Path, encoder_reader: Reader, tiny_llama: Path, tmp_path: Path
) -> None:
    """Bounds of no width at the encoder's thresholds give its signals and its activities, under another id."""
    path = write_cascade(tmp_path, encoder_manifest, tiny_llama, "[bounds.default]\nlower = 0.5\nupper = 0.5\n")
    reader = open_reader(path)
    (ours,), (encoders,) = reader.read([NEWS]), encoder_reader.read([NEWS])
    reader.close()
    assert (ours.signals, ours.activities) == (encoders.signals, encoders.activities)
    assert ours.signals
    assert ours.reader_id == reader.id == reader_id(path) != encoders.reader_id


def test_everything_doubtful_is_asked_and_what_stays_open_is_unsure(
    encoder_manifest: Path, tiny_llama: Path, tmp_path: Path
) -> None:
    """With bounds around all and a margin that nothing reaches, every pair is asked and stored as unsure."""
    rules = "least_margin = 1.0\n[bounds.default]\nlower = 0.0\nupper = 1.0\n"
    reader = open_reader(write_cascade(tmp_path, encoder_manifest, tiny_llama, rules))
    empty = make_section([])
    (prediction, nothing) = reader.read([NEWS, empty])
    german = reader.read([make_section(["Wir sind insolvent."], language="de")])[0]
    reader.close()
    assert told(prediction) == {(code, number) for code in EXAMPLES for number in range(1, 5)}
    assert (prediction.signals, len(prediction.unsure)) == ((), 8)
    assert (nothing.signals, nothing.unsure) == ((), ())
    assert german.unread_reason == "language:de"


def test_a_judge_that_cannot_be_opened_is_refused(encoder_manifest: Path, tiny_llama: Path, tmp_path: Path) -> None:
    """A wrong sum of the second model refuses the cascade."""
    path = write_cascade(tmp_path, encoder_manifest, tiny_llama, "[bounds.default]\nlower = 0.1\nupper = 0.9\n")
    second = tmp_path / "generative.toml"
    second.write_text(second.read_text().replace('sha256 = "', f'sha256 = "{"0" * 64}" # '))
    with pytest.raises(ModelRefused, match="expected 0000"):
        open_reader(path)


def test_single_questions_are_answered_alike_in_any_company(generative_reader: GenerativeReader) -> None:
    """An answer is a probability and does not depend on what else is asked; strange codes and languages get none."""
    doubts = [Doubt("News", text, code) for text in EXAMPLES.values() for code in ("layoffs", "expansion", "hiring")]
    foreign = [Doubt("", "Wir sind insolvent.", "insolvency", "de"), Doubt("", "Stars.", "astrology")]
    together = generative_reader.judge([*doubts, *foreign, Doubt("", "word " * 50_000, "recall"), *doubts])
    assert together[6:8] == [None, None]
    assert together[:6] == together[9:]
    alone = [generative_reader.judge([doubt])[0] for doubt in doubts]
    assert all(share is not None and 0 <= share <= 1 for share in alone)
    assert alone == pytest.approx(together[:6], abs=0.03)
    assert generative_reader.judge([]) == []


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_sentence_can_be_judged(generative_reader: GenerativeReader, context: str, text: str) -> None:
    """Whatever a website holds gets an answer."""
    (share,) = generative_reader.judge([Doubt(context, text, "layoffs")])
    assert share is not None


def test_what_an_encoder_just_misses_is_unsure(encoder_manifest: Path, encoder_reader: Reader, tmp_path: Path) -> None:
    """With a band, pairs below the threshold by less than it are stored as unsure; the signals stay the same."""
    path = tmp_path / "encoder.toml"
    text = encoder_manifest.read_text().replace('file = "', f'file = "{encoder_manifest.parent}/')
    path.write_text(f"unsure_band = 0.5\n{text}".replace(f"{encoder_manifest.parent}//", "/"))
    reader = open_reader(path)
    (wide,), (plain,) = reader.read([NEWS]), encoder_reader.read([NEWS])
    reader.close()
    assert wide.signals == plain.signals
    assert plain.unsure == ()
    assert all(-0.5 <= found.margin < 0 for found in wide.unsure)
    assert len(told(wide)) == 8
    assert wide.reader_id != plain.reader_id


def test_proposals_carry_calibrated_probabilities(encoder_reader: EncoderReader) -> None:
    """Each code is proposed from the probability asked for, others from their threshold on."""
    (prediction,) = encoder_reader.propose([NEWS], {"layoffs": 0.0})
    (own,) = encoder_reader.read([NEWS])
    assert {number for code, number in told(prediction) if code == "layoffs"} == {1, 2, 3, 4}
    others = [found for found in prediction.signals if found.code != "layoffs"]
    assert others == [found for found in own.signals if found.code != "layoffs"]
    assert all(found.margin == pytest.approx(found.confidence - 0.5) for found in prediction.signals)
