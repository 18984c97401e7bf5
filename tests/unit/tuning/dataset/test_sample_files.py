"""The files of a sample, above all the blind split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_examples import candidate

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.blind import manifest_of, read_blind
from credit_signals.tuning.dataset.file_source import file_candidates
from credit_signals.tuning.dataset.make import SampleFiles, make_sample
from credit_signals.tuning.dataset.rows import read_sentences
from credit_signals.tuning.dataset.sampling import SampleSettings
from credit_signals.tuning.teacher import split_of

QUESTIONS = Path(__file__).parents[4] / "workers" / "section_reader" / "questions"
SETTINGS = SampleSettings(count=200)


@pytest.fixture
def files(tmp_path: Path) -> SampleFiles:
    """Where a first sample of 200 sentences lies."""
    files = SampleFiles(tmp_path / "sample.jsonl", QUESTIONS)
    make_sample([candidate(number) for number in range(300)], SETTINGS, files)
    return files


def test_documents_do_not_straddle_splits(files: SampleFiles) -> None:
    """The test rows are in the blind file, every row in the split that training gives its document."""
    trained, blind = read_sentences(files.out), read_sentences(files.blind_path)
    assert {row.record()["split"] for row in trained} == {"train", "validation"}
    assert {row.record()["split"] for row in blind} == {"test"}
    assert all(row.record()["split"] == split_of(row.group, 1) for row in trained + blind)
    assert not {row.group for row in trained} & {row.group for row in blind}


def test_the_manifest_names_hashes_and_counts(files: SampleFiles) -> None:
    """Whoever trains on a sample can state what it was."""
    manifest = json.loads((files.out.parent / "sample.manifest.json").read_text())
    assert manifest["sentences"] == 200 == sum(manifest["splits"].values())
    assert manifest["random"] == 40
    assert manifest["blind"]["sha256"] == json.loads(manifest_of(files.blind_path).read_text())["sha256"]
    assert len(manifest["template_sha256"]) == len(manifest["sample"]["sha256"]) == 64


def test_a_later_sample_leaves_the_blind_split_as_it_is(files: SampleFiles) -> None:
    """Neither its bytes change nor does anything of its documents, or near to its sentences, get trained on."""
    before = files.blind_path.read_bytes()
    blind = read_sentences(files.blind_path)
    copy = candidate(5001, text=f"{blind[0].text}!", group="doc/elsewhere")
    sibling = candidate(5002, group=blind[0].group)
    new = [candidate(number) for number in range(1000, 1300)]
    second = SampleFiles(files.out.with_name("second.jsonl"), QUESTIONS, files.blind_path)
    manifest = make_sample([copy, sibling, *new], SETTINGS, second)
    assert files.blind_path.read_bytes() == before
    taken = {row.id for row in read_sentences(second.out)}
    assert not taken & {"s5001", "s5002"}
    assert manifest["of_blind_documents_left_out"] >= 1
    assert "test" not in manifest["splits"]


def test_a_changed_blind_split_is_refused(files: SampleFiles) -> None:
    """A split that was tampered with measures nothing."""
    files.blind_path.chmod(0o644)
    files.blind_path.write_text(files.blind_path.read_text().replace("doc/", "dok/", 1))
    with pytest.raises(ConfigurationError, match="was changed: SHA-256"):
        make_sample([candidate(1)], SETTINGS, files)


def test_another_seed_is_refused_beside_a_blind_split(files: SampleFiles) -> None:
    """Split with another seed, documents of the blind split would be trained on."""
    with pytest.raises(ConfigurationError, match="seed 1, not 2"):
        read_blind(files.blind_path, seed=2)


def test_a_blind_split_without_manifest_is_refused(files: SampleFiles) -> None:
    """What cannot be checked is not used."""
    manifest_of(files.blind_path).unlink()
    with pytest.raises(ConfigurationError, match="has no manifest"):
        read_blind(files.blind_path, seed=1)


def test_plain_text_is_read_document_by_document(tmp_path: Path) -> None:
    """An empty line ends a document; the line before is the context; lines without letters are left out."""
    path = tmp_path / "notes.txt"
    path.write_text("First one.\nSecond one.\n\n\nThird one.\n***\n", encoding="utf-8")
    rows = [given.row for given in file_candidates(path)]
    assert [(row.src, row.prev, row.text) for row in rows] == [
        ("notes/1", "", "First one."),
        ("notes/1", "First one.", "Second one."),
        ("notes/2", "", "Third one."),
    ]


@pytest.mark.parametrize("line", ["[]", "{", '{"id": "a"}', '{"id": "", "text": "x"}', '{"id": "a", "text": 3}'])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    """File and line number lead to the mistake."""
    path = tmp_path / "wrong.jsonl"
    path.write_text('{"id": "ok", "text": "Fine."}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"wrong\.jsonl, line 2"):
        list(file_candidates(path))
