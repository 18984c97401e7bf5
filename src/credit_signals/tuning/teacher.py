"""The teacher's labelled sentences: reading them and splitting them so that nothing leaks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from credit_signals.domain import Stance, Subject
from credit_signals.errors import ConfigurationError
from credit_signals.taxonomy.signals import BY_CODE, SIGNAL_CODES
from credit_signals.tuning.json_lines import numbered_lines

CODES: tuple[str, ...] = tuple(entry.code for entry in SIGNAL_CODES)
STANCES: tuple[str, ...] = tuple(Stance)
SUBJECTS: tuple[str, ...] = tuple(Subject)
SEVERITIES: tuple[int, ...] = (1, 2, 3)
NEWSWIRES = ("reuters", "sentivent", "news")  # sources known to be English throughout

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Label:
    """One signal that a sentence states."""

    code: str
    stance: str
    subject: str
    severity: int


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """A sentence, what stands before it, and every signal that it states.

    `group` is the document it comes from: all sentences of a group fall into the same split.
    """

    id: str
    group: str
    language: str
    context: str
    text: str
    labels: tuple[Label, ...]

    @property
    def from_website(self) -> bool:
        """Whether it is in the manner of a website, not of the news."""
        return not self.group.startswith(tuple(f"{wire}/" for wire in NEWSWIRES))

    def split(self, seed: int) -> Split:
        """80% train, 10% validation, 10% test, by a hash of seed and group."""
        return split_of(self.group, seed)


def split_of(group: str, seed: int) -> Split:
    """The split of a document or company: 80% train, 10% validation, 10% test, by a hash of seed and group."""
    share = int.from_bytes(hashlib.blake2b(f"{seed}/{group}".encode(), digest_size=8).digest(), "big") % 10
    return "test" if share == 0 else "validation" if share == 1 else "train"


def by_split(sentences: Iterable[LabelledSentence], seed: int) -> dict[Split, list[LabelledSentence]]:
    """Sentences by split."""
    parts: dict[Split, list[LabelledSentence]] = {"train": [], "validation": [], "test": []}
    for sentence in sentences:
        parts[sentence.split(seed)].append(sentence)
    return parts


def in_languages(sentences: Iterable[LabelledSentence], codes: str) -> list[LabelledSentence]:
    """The sentences stated to be in these languages: ISO 639-1, with commas between; empty: all."""
    wanted = {code for code in codes.split(",") if code}
    return [sentence for sentence in sentences if not wanted or sentence.language in wanted]


def load_teacher(paths: Iterable[Path]) -> list[LabelledSentence]:
    """Read JSON Lines files of labelled sentences.

    Each line has `id`, `text`, `signals` (code, stance, subject, severity), and may have `prev`, `src` and `lang`.
    Equal texts after the same context are kept once. Raises ConfigurationError naming the line that is wrong.
    """
    seen: set[tuple[str, str]] = set()
    sentences: list[LabelledSentence] = []
    for path in paths:
        for sentence in _read(path):
            key = (sentence.context, sentence.text)
            if key not in seen:
                seen.add(key)
                sentences.append(sentence)
    return sentences


def _read(path: Path) -> Iterator[LabelledSentence]:
    for number, line in numbered_lines(path):
        try:
            yield _parse(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
            raise ConfigurationError(f"{path}, line {number}: not a labelled sentence: {exc}") from exc


def _parse(record: dict[str, Any]) -> LabelledSentence:
    source = str(record.get("src", ""))
    language = str(record.get("lang", "")) or ("en" if source.split("/", maxsplit=1)[0] in NEWSWIRES else "")
    labels = parse_labels(record["signals"])
    return LabelledSentence(
        id=str(record["id"]),
        group=source or str(record["id"]),
        language=language,
        context=str(record.get("prev", "")),
        text=str(record["text"]),
        labels=labels,
    )


def parse_labels(entries: Iterable[dict[str, Any]]) -> tuple[Label, ...]:
    """The labels of a line's `signals`. Raises ValueError, KeyError or TypeError."""
    return tuple(_label(entry) for entry in entries)


def _label(entry: dict[str, Any]) -> Label:
    if entry["code"] not in BY_CODE:
        raise ValueError(f"unknown code {entry['code']!r}")
    severity = int(entry["severity"])
    if severity not in SEVERITIES:
        raise ValueError(f"severity {severity} is not 1, 2 or 3")
    return Label(entry["code"], Stance(entry["stance"]), Subject(entry["subject"]), severity)
