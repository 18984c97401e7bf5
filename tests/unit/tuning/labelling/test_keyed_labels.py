"""Labels without text, and their way back to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.labelling.documents import Documents
from credit_signals.tuning.labelling.keyed import Searchable, join_labels, key_labels
from credit_signals.tuning.teacher import load_teacher

PAGE = """<html><head><title>Bakery</title></head><body><h1>News</h1>
<p>We are <b>closing</b> our shop in Leeds&nbsp;&ndash; for good.</p><p>We thank
all of you.</p><img src="x.jpg" alt="Our team in 2024"></body></html>"""
STORY = (
    '<REUTERS NEWID="7"><BODY>Acme Corp said it\nwill lay off 40 &lt;ACM.O&gt; workers. '
    "It gave no date.</BODY></REUTERS>"
)
SIGNAL = {"code": "layoffs", "stance": "planned", "subject": "company", "severity": 2}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder of one website, one wire file, one table of sentences and one list of companies."""
    folder = tmp_path / "sources"
    for name, content in {
        "sites/bakery/index.html": PAGE,
        "extraction/html/page.html": PAGE,
        "reuters21578/reut2-000.sgm": STORY,
        "sentivent/dataset_event_type.tsv": "document_id\ttext\nacm01\tAcme rose .\nacm01\tIt hired 5 .\n",
        "financedatabase/companies.jsonl": '{"symbol": "ACM.O", "summary": "Acme sells  anvils. It moved to Leeds."}\n',
        "secret.txt": "Nothing to see here.",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def _labels(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "labels.jsonl"
    lines = [{"id": f"s{number}", "signals": [SIGNAL], **row} for number, row in enumerate(rows)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("src", "prev", "text"),
    [
        ("sites/bakery/index.html", "News", "We are closing our shop in Leeds – for good."),
        ("sites/bakery", "", "We thank all of you."),
        ("extraction/page.html", "We are closing our shop in Leeds – for good.", "We thank all of you."),
        ("sites/bakery/index.html", "", "Our team in 2024"),
        ("reuters/7", "", "Acme Corp said it will lay off 40 <ACM.O> workers."),
        ("sentivent/acm01", "Acme rose .", "It hired 5 ."),
        ("financedatabase/ACM.O", "Acme sells anvils.", "It moved to Leeds."),
    ],
)
def test_sentences_come_back_as_they_were(tmp_path: Path, sources: Path, src: str, prev: str, text: str) -> None:
    """From label to key and back, over every kind of source; the keyed file holds no word of the text."""
    keyed, joined = tmp_path / "keyed.jsonl", tmp_path / "joined.jsonl"
    figures = key_labels(_labels(tmp_path, {"src": src, "prev": prev, "text": text}), keyed, sources)
    assert figures == {"sentences": 1, "keyed": 1, "without_context": 0}
    assert not any(word in keyed.read_text() for word in text.split() if len(word) > 3)
    assert join_labels(keyed, joined, sources) == {"labels": 1, "joined": 1}
    (sentence,) = load_teacher([joined])
    assert (sentence.group, sentence.context, sentence.text) == (src, prev, text)
    assert sentence.labels[0].code == "layoffs"


def test_what_the_sources_lack_is_counted(tmp_path: Path, sources: Path) -> None:
    """Sentences that are nowhere, and sources outside the folder, are left out, not guessed."""
    rows = [
        {"src": "reuters/7", "text": "It gave no date."},
        {"src": "reuters/7", "text": "It never said this."},
        {"src": "reuters/8", "text": "It gave no date."},
        {"src": "sites/../../sources/../labels.jsonl", "text": "layoffs"},
        {"src": "reuters/7", "text": "***"},
        {"src": "", "text": "layoffs"},
        {"src": "sites/..", "text": "layoffs"},
        {"src": "a\0b", "text": "layoffs"},
        {"src": "x" * 5000, "text": "layoffs"},
    ]
    figures = key_labels(_labels(tmp_path, *rows), tmp_path / "keyed.jsonl", sources)
    assert (figures["keyed"], figures["not_found"]) == (1, 8)


def test_a_changed_document_gives_no_wrong_text(tmp_path: Path, sources: Path) -> None:
    """Where another text stands at the place the label is left out and counted."""
    keyed = tmp_path / "keyed.jsonl"
    rows = [{"src": "reuters/7", "text": "It gave no date."}, {"src": "sentivent/acm01", "text": "It hired 5 ."}]
    key_labels(_labels(tmp_path, *rows), keyed, sources)
    (sources / "reuters21578/reut2-000.sgm").write_text(STORY.replace("Acme", "The Acme"))
    figures = join_labels(keyed, tmp_path / "joined.jsonl", sources)
    assert figures == {"labels": 2, "document_changed": 1, "joined": 1}


def test_labels_of_other_sources_are_refused_as_a_whole(tmp_path: Path, sources: Path) -> None:
    """A wrong folder is an error, not an empty training set."""
    keyed = tmp_path / "keyed.jsonl"
    key_labels(_labels(tmp_path, {"src": "reuters/7", "text": "It gave no date."}), keyed, sources)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError, match="nothing of 1 labels"):
        join_labels(keyed, tmp_path / "joined.jsonl", empty)


@pytest.mark.parametrize("line", ["{}", "x", '{"id": "a", "src": "b", "off": -1, "len": 1, "sha": "0", "signals": []}'])
def test_a_wrong_keyed_line_is_named(tmp_path: Path, sources: Path, line: str) -> None:
    """File and line lead to the mistake."""
    path = tmp_path / "keyed.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(ConfigurationError, match=r"keyed\.jsonl, line 1"):
        join_labels(path, tmp_path / "joined.jsonl", sources)


def test_the_second_of_two_equal_sentences_is_found_by_its_context() -> None:
    """A sentence that stands twice is keyed where its context stands before it."""
    document = Searchable.of("Open daily. Jobs. Call us. Press. Call us.")
    press = document.find("Press.")
    assert press is not None
    found = document.find("Call us.", press.off + press.len)
    assert found is not None
    assert found.off == 34


@given(st.text(max_size=60), st.text(min_size=1, max_size=20), st.text(max_size=60))
def test_any_text_with_letters_is_found_and_cut(before: str, text: str, after: str) -> None:
    """Whatever stands around it, letters and digits are found again, and the hash agrees with what is cut."""
    document = Searchable.of(f"{before} {text} {after}")
    place = document.find(text)
    if any(map(str.isalnum, text)):
        assert place is not None
        assert document.cut(place) is not None
    else:
        assert place is None


def test_nothing_outside_the_folder_is_read(sources: Path) -> None:
    """A source that climbs out of the folder is not there."""
    documents = Documents(sources / "sites")
    assert documents.text("../secret.txt") is None
    assert documents.text("bakery/index.html") is not None
