"""The cascade on scripted readers: who is asked what, and what becomes of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import FoundSignal, PageRole, Prediction, Section, SectionTask, Sentence, Stance, Subject
from credit_signals.errors import ModelRefused, ReadFailed
from credit_signals.inference.cascade import CascadeReader
from credit_signals.inference.manifest import CascadeManifest, reader_id
from credit_signals.inference.scripted import ScriptedReader

QUESTIONS = Path(__file__).resolve().parents[3] / "workers/section_reader/questions"
FILE = f'file = "m.gguf"\nsha256 = "{"a" * 64}"\n'
CASCADE = """kind = "cascade"
version = "1"
cheap = "encoder.toml"
second = "generative.toml"
[bounds.default]
lower = 0.2
upper = 0.7
"""
share = st.floats(0, 1)


def section_of(*sentences: str, language: str = "en") -> Section:
    """A section of these sentences under a heading."""
    places, at = [], 0
    for number, sentence in enumerate(sentences, 1):
        places.append(Sentence(number=number, start=at, end=at + len(sentence)))
        at += len(sentence) + 1
    return Section.build(
        company_id="acme",
        url="https://acme.example/",
        role=PageRole.NEWS,
        heading_path=("News",),
        language=language,
        text=" ".join(sentences),
        sentences=tuple(places),
    )


def said(code: str, confidence: float, margin: float = 0.0) -> FoundSignal:
    """A signal of the first reader."""
    values = {"stance": Stance.PLANNED, "subject": Subject.COMPANY, "severity": 2, "sentence": 1}
    return FoundSignal(code=code, confidence=confidence, margin=margin, **values)


def cascade(first: ScriptedReader, second: ScriptedReader, **rules: object) -> CascadeReader:
    """A cascade; bounds of layoffs unless others are given."""
    values = {"bounds": {"layoffs": {"lower": 0.2, "upper": 0.7}}, "least_margin": 0.2} | rules
    files = {"kind": "cascade", "version": "1", "cheap": "a", "second": "b"}
    return CascadeReader(CascadeManifest.model_validate(files | values), "cascade-1", first, second)


JOBS = section_of("Good day.", "We cut jobs.")


@given(share, share, st.tuples(share, share).map(sorted), share)
def test_only_doubtful_pairs_are_asked_and_unsure_ones_are_never_found(
    first: float, second: float, bounds: list[float], least_margin: float
) -> None:
    """Outside the bounds the first reader alone decides; inside, the second does, or the pair is stored as unsure."""
    judge = ScriptedReader({}, verdicts={"jobs": second})
    limits = {"layoffs": {"lower": bounds[0], "upper": bounds[1]}}
    reader = cascade(ScriptedReader({"jobs": said("layoffs", first)}), judge, bounds=limits, least_margin=least_margin)
    (prediction,) = reader.read([JOBS])
    asked = bounds[0] <= first < bounds[1]
    assert [(doubt.context, doubt.text, doubt.code) for doubt in judge.judged] == (
        [("Good day.", "We cut jobs.", "layoffs")] if asked else []
    )
    assert len(prediction.signals) + len(prediction.unsure) <= 1
    assert reader.counts["asked"] == len(judge.judged)
    assert reader.counts["unsure"] == len(prediction.unsure)
    if not asked:
        assert [s.confidence for s in prediction.signals] == ([first] if first >= bounds[1] else [])
    elif prediction.unsure:
        assert abs(2 * prediction.unsure[0].confidence - 1) < least_margin
    else:
        assert bool(prediction.signals) == (second >= 0.5) or second == pytest.approx(0.5)


def test_what_was_asked_keeps_the_first_readers_attributes() -> None:
    """Stance, subject and severity stay; confidence is the blend and the margin its distance from even odds."""
    first = ScriptedReader({"jobs": said("layoffs", 0.5)})
    blend = {"first": 1.0, "second": 1.0, "shift": 0.0}
    (prediction,) = cascade(first, ScriptedReader({}, verdicts={"jobs": 0.9}), blend=blend).read([JOBS])
    (signal,) = prediction.signals
    assert (signal.stance, signal.subject, signal.severity, signal.sentence) == ("planned", "company", 2, 2)
    assert signal.confidence == pytest.approx(0.9)
    assert signal.margin == pytest.approx(0.4)
    assert prediction.reader_id == "cascade-1"
    assert prediction.task_id == SectionTask.build(JOBS, "cascade-1").id


def test_a_code_without_bounds_is_the_first_readers_alone() -> None:
    """Nothing is asked about it, whatever its confidence."""
    judge = ScriptedReader({}, verdicts={"jobs": 0.0})
    first = ScriptedReader({"jobs": said("hiring", 0.5), "good": said("recall", 0.5, margin=-0.1)})
    (prediction,) = cascade(first, judge).read([JOBS])
    assert [signal.code for signal in prediction.signals] == ["hiring"]
    assert not judge.judged


@pytest.mark.parametrize(("margin", "stated"), [(0.1, 1), (-0.1, 0)])
def test_where_the_second_cannot_be_asked_the_first_ones_mind_stands(margin: float, stated: int) -> None:
    """A judge that does not know the language leaves the pair to the first reader's own threshold."""
    first = ScriptedReader({"jobs": said("layoffs", 0.5, margin)})
    (prediction,) = cascade(first, ScriptedReader({}, languages=["de"])).read([JOBS])
    assert (len(prediction.signals), prediction.unsure) == (stated, ())


def test_a_language_that_only_the_second_knows_is_read_by_it() -> None:
    """Such a section gets the second reader's prediction; one that neither knows stays unread for that reason."""
    first = ScriptedReader({"stellen": "layoffs"}, languages=["en"])
    reader = cascade(first, ScriptedReader({"stellen": "layoffs"}, languages=["de"]))
    german, french, english = (section_of("Wir bauen Stellen ab.", language=code) for code in ("de", "fr", "en"))
    read, unread, own = reader.read([german, french, english])
    assert [signal.code for signal in read.signals] == ["layoffs"]
    assert (read.unread_reason, unread.unread_reason) == ("", "language:fr")
    assert {each.reader_id for each in (read, unread, own)} == {"cascade-1"}


def test_equal_doubts_are_asked_once_and_a_failure_names_its_sections() -> None:
    """The same sentence on two pages costs one question."""
    judge = ScriptedReader({}, verdicts={"jobs": 0.9})
    reader = cascade(ScriptedReader({"jobs": said("layoffs", 0.5)}, fails_on=["boom"]), judge)
    assert [len(prediction.signals) for prediction in reader.read([JOBS, JOBS])] == [1, 1]
    assert len(judge.judged) == 1
    with pytest.raises(ReadFailed, match=section_of("boom").id):
        reader.read([section_of("boom")])
    reader.close()
    assert judge.closed


def write(folder: Path, text: str = CASCADE) -> Path:
    """A cascade beside the manifests of its readers."""
    encoder = f'kind = "encoder"\nversion = "1"\n[model]\n{FILE}[heads]\n{FILE}'
    (folder / "encoder.toml").write_text(encoder)
    generative = f'kind = "generative"\nversion = "1"\n[model]\n{FILE}[questions]\nfolder = "{QUESTIONS}"\n'
    (folder / "generative.toml").write_text(generative)
    path = folder / "cascade.toml"
    path.write_text(text)
    return path


def test_the_id_covers_readers_and_rules(tmp_path: Path) -> None:
    """Another bound, blend, margin, version or model is another reader."""
    ids = {reader_id(write(tmp_path))}
    for old, new in (
        ("0.2", "0.3"),
        ('"1"', '"2"'),
        ("default", "layoffs"),
        ("[bounds", "[blend]\nshift = 0.5\n[bounds"),
        ("[bounds", "\n[bounds.hiring]\nlower = 0.1\nupper = 0.2\n[bounds"),
        ("cheap", "least_margin = 0.1\ncheap"),
    ):
        ids.add(reader_id(write(tmp_path, CASCADE.replace(old, new))))
    path = write(tmp_path)
    generative = tmp_path / "generative.toml"
    generative.write_text(generative.read_text().replace("aaaa", "bbbb", 1))
    ids.add(reader_id(path))
    assert len(ids) == 8


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (CASCADE.replace("0.2", "0.9"), "lower 0.9 is above upper 0.7"),
        (CASCADE.replace("default", "astrology"), "astrology"),
        (CASCADE.split("[bounds", maxsplit=1)[0], "bounds"),
        (CASCADE.replace("encoder.toml", "generative.toml"), "where encoder is needed"),
        (CASCADE.replace("generative.toml", "encoder.toml"), "where generative is needed"),
        (CASCADE.replace("encoder.toml", "cascade.toml"), "where encoder is needed"),
        (CASCADE.replace("upper = 0.7", "upper = nan"), "upper"),
    ],
)
def test_a_wrong_cascade_is_refused(text: str, named: str, tmp_path: Path) -> None:
    """The message names what is wrong."""
    with pytest.raises(ModelRefused, match=named):
        reader_id(write(tmp_path, text))


def test_predictions_of_older_readers_still_load() -> None:
    """What was stored before anything could be unsure is read as sure."""
    stored = ScriptedReader({"jobs": "layoffs"}).read([JOBS])[0].model_dump(mode="json", exclude={"unsure"})
    assert Prediction.model_validate(stored).unsure == ()
