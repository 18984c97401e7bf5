"""Labels without text: where a sentence stands, a hash to check it by, and its signals.

    {"id": "...", "src": "reuters/20004", "off": 512, "len": 104, "sha": "16 hex digits",
     "prev": {"off": 300, "len": 211, "sha": "..."}, "signals": [...]}

`off` and `len` count characters of the document's text (see documents.py). `sha` begins the SHA-256 of the letters and
digits: spaces and punctuation, which splitters treat differently, do not decide. Such labels may be published where the
text, which belongs to others, may not.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.rows import SentenceRow, read_sentences, write_lines
from credit_signals.tuning.json_lines import read_lines
from credit_signals.tuning.labelling.documents import Documents

HASH_DIGITS = 16
KEPT = ("lang", "teacher", "grade", "split")  # further keys of a line that hold no text


class Place(BaseModel):
    """Where a text stands in its document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    off: int = Field(ge=0)
    len: int = Field(ge=1)
    sha: str = Field(pattern=f"^[0-9a-f]{{{HASH_DIGITS}}}$")


class KeyedLabel(Place):
    """A line."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(min_length=1)
    src: str = Field(min_length=1)
    prev: Place | None = None
    signals: tuple[dict[str, Any], ...]


def letters_hash(text: str) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a text's letters and digits."""
    letters = "".join(filter(str.isalnum, text))
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


@dataclass(frozen=True, slots=True)
class Searchable:
    """A document's text, its letters and digits, and the place of each of these in the text."""

    text: str
    letters: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Searchable:
        """Index a text."""
        places = tuple(place for place, letter in enumerate(text) if letter.isalnum())
        return cls(text, "".join(text[place] for place in places), places)

    def find(self, wanted: str, after: int = 0) -> Place | None:
        """Where a text stands first from a place on, with the punctuation around it that is its own; or None."""
        letters = "".join(filter(str.isalnum, wanted))
        if not letters:
            return None
        found = self.letters.find(letters, bisect_left(self.places, after))
        if found < 0:
            return None
        start, end = self.places[found], self.places[found + len(letters) - 1] + 1
        before, behind = _margins(wanted)
        while before and start and self.text[start - 1] == before[-1]:
            start, before = start - 1, before[:-1]
        while behind and self.text[end : end + 1] == behind[0]:
            end, behind = end + 1, behind[1:]
        return Place(off=start, len=end - start, sha=letters_hash(wanted))

    def cut(self, place: Place) -> str | None:
        """The text at a place, or None where another stands there."""
        text = self.text[place.off : place.off + place.len]
        return text if letters_hash(text) == place.sha else None


def _margins(text: str) -> tuple[str, str]:
    """What stands before the first and behind the last letter or digit."""
    text = " ".join(text.split())
    marks = [letter.isalnum() for letter in text]
    return text[: marks.index(True)], text[len(marks) - marks[::-1].index(True) :]


def key_labels(labels: Path, out: Path, sources: Path) -> dict[str, Any]:
    """Write labelled sentences without their text; gives counts. What the sources do not hold is left out.

    Raises ConfigurationError.
    """
    counts: Counter[str] = Counter()
    documents = Documents(sources)
    lines: list[dict[str, Any]] = []
    for src, rows in _by_source(read_sentences(labels)).items():
        text = documents.text(src)
        document = Searchable.of(text) if text is not None else None
        for row in rows:
            lines += _keyed(row, document, counts)
    write_lines(out, lines)
    return {"sentences": counts["keyed"] + counts["not_found"], **counts}


def _keyed(row: SentenceRow, document: Searchable | None, counts: Counter[str]) -> list[dict[str, Any]]:
    extra = row.model_extra or {}
    if "signals" not in extra:
        raise ConfigurationError(f"sentence {row.id}: not labelled")
    before = document.find(row.prev) if document else None
    place = None
    if document:
        after = before.off + before.len if before else 0
        place = document.find(row.text, after) or document.find(row.text)
    if place is None:
        counts["not_found"] += 1
        return []
    counts["keyed"] += 1
    counts["without_context"] += bool(row.prev) and before is None
    line = {"id": row.id, "src": row.src, **place.model_dump()}
    line |= {"prev": before.model_dump()} if before else {}
    line |= {name: value for name in KEPT if (value := row.record().get(name))}
    return [line | {"signals": extra["signals"]}]


def join_labels(labels: Path, out: Path, sources: Path) -> dict[str, Any]:
    """Write keyed labels with their texts, as training reads them; gives counts.

    Labels whose document is not in the sources, or holds another text at the place, are left out and counted.
    Raises ConfigurationError when a line is wrong, or nothing can be joined.
    """
    counts: Counter[str] = Counter()
    documents = Documents(sources)
    lines: list[dict[str, Any]] = []
    keyed = [label for _, label in read_lines(labels, KeyedLabel, "a keyed label")]
    for src, rows in _by_source(keyed).items():
        text = documents.text(src)
        for row in rows:
            lines += _joined(row, text, counts)
    if keyed and not lines:
        raise ConfigurationError(f"{labels}: nothing of {len(keyed)} labels is in {sources}: {dict(counts)}")
    order = {row.id: number for number, row in enumerate(keyed)}
    write_lines(out, sorted(lines, key=lambda line: order[line["id"]]))
    return {"labels": len(keyed), **counts}


def _joined(row: KeyedLabel, text: str | None, counts: Counter[str]) -> list[dict[str, Any]]:
    document = None if text is None else Searchable(text, "", ())
    sentence = document.cut(row) if document else None
    if document is None or sentence is None:
        counts["document_missing" if document is None else "document_changed"] += 1
        return []
    counts["joined"] += 1
    before = document.cut(row.prev) if row.prev else ""
    record = {"id": row.id, "src": row.src, "prev": before or "", "text": sentence, "signals": list(row.signals)}
    return [record | (row.model_extra or {})]


def _by_source(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.src, []).append(row)
    return found
