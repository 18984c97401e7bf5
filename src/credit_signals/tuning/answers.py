"""What a reader answered on the blind test split: the file that evaluation writes and promotion compares.

JSON Lines. The first line is the header:

    {"format": "credit-signals-answers-1", "reader_id": "...", "data_hash": "...", "cpu_seconds_per_section": 0.04,
     "codes": ["insolvency", ...], "sentences": 1240}

`data_hash` names the split (equal splits, equal hashes), `reader_id` the reader, or BASELINE for TF-IDF with logistic
regression. Every further line is a sentence; it holds no text, so the file may be kept and shown:

    {"id": "...", "group": "...", "language": "en", "gold": ["hiring"], "found": [], "probabilities": [0.01, ...]}

`group` is the document: sentences of one document are resampled together. `probabilities` follow the header's `codes`
and may be left out (of all sentences alike) by a reader that has none. A sentence may also hold the stance and subject
of its gold codes, and those that the reader gives them and the codes it found:

    "gold_attributes": {"hiring": ["ongoing", "company"]}, "attributes": {"hiring": ["planned", "company"]}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from credit_signals.domain import Stance, Subject, content_id
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.json_lines import numbered_lines, parse_line
from credit_signals.tuning.teacher import CODES

FORMAT = "credit-signals-answers-1"
BASELINE = "baseline-tfidf-logistic"  # the reader id of the baseline's answers
DECIMALS = 6  # of the probabilities in a file

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Share = Annotated[float, Field(ge=0, le=1)]
Attributes = Mapping[str, tuple[Stance, Subject]]  # by code


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """A reader's answers to n sentences of one split; columns are the C codes of the taxonomy, in its order."""

    reader_id: str
    data_hash: str
    cpu_seconds_per_section: float
    ids: tuple[str, ...]
    groups: tuple[str, ...]  # the document of each sentence
    languages: tuple[str, ...]  # ISO 639-1, or empty
    gold: Bools  # [n, C]
    found: Bools  # [n, C]
    probabilities: Floats | None = None  # [n, C], each 0 to 1
    gold_attributes: tuple[Attributes, ...] = ()  # of each sentence, or none at all
    attributes: tuple[Attributes, ...] = ()  # as the reader gives them

    def __post_init__(self) -> None:
        """Raises ValueError when the parts do not fit together."""
        shape = (len(self.ids), len(CODES))
        tables = [self.gold, self.found, *([] if self.probabilities is None else [self.probabilities])]
        if any(table.shape != shape for table in tables) or {len(self.groups), len(self.languages)} != {len(self.ids)}:
            raise ValueError(f"answers of {self.reader_id}: every part needs {shape[0]} sentences, tables {shape}")
        if any(len(part) not in {0, len(self.ids)} for part in (self.gold_attributes, self.attributes)):
            raise ValueError(f"answers of {self.reader_id}: some sentences have attributes and some have none")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"answers of {self.reader_id}: a sentence id stands twice")

    @property
    def gold_id(self) -> str:
        """A hash of sentences, documents and gold codes: answers with equal ones can be compared row by row."""
        rows = zip(self.ids, self.groups, self.gold, strict=True)
        return content_id(*(part for each, group, gold in rows for part in (each, group, " ".join(_names(gold)))))


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Header(_Line):
    format: Literal["credit-signals-answers-1"]
    reader_id: str = Field(min_length=1)
    data_hash: str = Field(min_length=1)
    cpu_seconds_per_section: float = Field(ge=0)
    codes: tuple[str, ...]
    sentences: int = Field(ge=0)


class _Sentence(_Line):
    id: str = Field(min_length=1)
    group: str = Field(min_length=1)
    language: str = ""
    gold: tuple[str, ...]
    found: tuple[str, ...]
    probabilities: tuple[Share, ...] | None = None
    gold_attributes: dict[str, tuple[Stance, Subject]] | None = None
    attributes: dict[str, tuple[Stance, Subject]] | None = None


def save_answers(answers: Answers, path: Path) -> None:
    """Write the file as a whole or not at all. Raises OSError, and ValueError for numbers that are no probability."""
    header = _Header(
        format=FORMAT,
        reader_id=answers.reader_id,
        data_hash=answers.data_hash,
        cpu_seconds_per_section=answers.cpu_seconds_per_section,
        codes=CODES,
        sentences=len(answers.ids),
    )
    lines = [header.model_dump(), *(_sentence_of(answers, row) for row in range(len(answers.ids)))]
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    half.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    half.replace(path)


def _sentence_of(answers: Answers, row: int) -> dict[str, Any]:
    told = answers.probabilities
    return _Sentence(
        id=answers.ids[row],
        group=answers.groups[row],
        language=answers.languages[row],
        gold=_names(answers.gold[row]),
        found=_names(answers.found[row]),
        probabilities=None if told is None else tuple(round(float(value), DECIMALS) for value in told[row]),
        gold_attributes=dict(answers.gold_attributes[row]) if answers.gold_attributes else None,
        attributes=dict(answers.attributes[row]) if answers.attributes else None,
    ).model_dump(exclude_none=True)


def load_answers(path: Path) -> Answers:
    """Read a file of answers. Raises ConfigurationError naming the file and the line that is wrong.

    A file of an older taxonomy, with fewer codes, is read as one in which the newer codes are never gold nor found.
    """
    lines = numbered_lines(path)
    place, first = next(lines, (1, ""))
    header = parse_line(f"{path}, line {place}", first, _Header, "an answer file's header")
    unknown = sorted(set(header.codes) - set(CODES))
    if unknown or len(set(header.codes)) != len(header.codes):
        raise ConfigurationError(f"{path}, line {place}: codes unknown or twice: {', '.join(unknown) or header.codes}")
    rows = [(number, parse_line(f"{path}, line {number}", line, _Sentence, "an answer")) for number, line in lines]
    if len(rows) != header.sentences:
        raise ConfigurationError(f"{path}: holds {len(rows)} sentences where its header says {header.sentences}: cut?")
    for number, row in rows:
        _check(path, number, row, header)
    try:
        return _answers(header, [row for _, row in rows])
    except ValueError as exc:
        raise ConfigurationError(f"{path}: {exc}") from exc


def _check(path: Path, number: int, row: _Sentence, header: _Header) -> None:
    named = {*row.gold, *row.found, *(row.gold_attributes or ()), *(row.attributes or ())}
    stray = sorted(named - set(header.codes))
    if stray:
        raise ConfigurationError(f"{path}, line {number}: sentence {row.id}: {stray[0]!r} is not a code of the header")
    if row.probabilities is not None and len(row.probabilities) != len(header.codes):
        told = f"{len(row.probabilities)} probabilities for {len(header.codes)} codes"
        raise ConfigurationError(f"{path}, line {number}: sentence {row.id}: {told}")


def _answers(header: _Header, rows: Sequence[_Sentence]) -> Answers:
    told = [row.probabilities for row in rows if row.probabilities is not None]
    if told and len(told) != len(rows):
        raise ValueError("some sentences have probabilities and some have none")
    columns = [CODES.index(code) for code in header.codes]
    probabilities = np.zeros((len(rows), len(CODES))) if told else None
    if probabilities is not None:
        probabilities[:, columns] = told
    return Answers(
        reader_id=header.reader_id,
        data_hash=header.data_hash,
        cpu_seconds_per_section=header.cpu_seconds_per_section,
        ids=tuple(row.id for row in rows),
        groups=tuple(row.group for row in rows),
        languages=tuple(row.language for row in rows),
        gold=_table([row.gold for row in rows]),
        found=_table([row.found for row in rows]),
        probabilities=probabilities,
        gold_attributes=tuple(row.gold_attributes for row in rows if row.gold_attributes is not None),
        attributes=tuple(row.attributes for row in rows if row.attributes is not None),
    )


def _table(rows: Sequence[Sequence[str]]) -> Bools:
    return np.array([[code in row for code in CODES] for row in rows], dtype=bool).reshape(len(rows), len(CODES))


def _names(row: Bools) -> tuple[str, ...]:
    return tuple(CODES[column] for column in np.flatnonzero(row))
