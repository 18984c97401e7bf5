"""Sentences of files: JSON Lines, or plain text with one sentence per line and an empty line between documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from credit_signals.domain import content_id
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.candidates import NOTHING, UNREAD, Candidate, Stratum
from credit_signals.tuning.dataset.rows import SentenceRow, read_sentences
from credit_signals.tuning.json_lines import read_text


def file_candidates(path: Path) -> Iterator[Candidate]:
    """Every sentence of a file; what it is labelled with counts as predicted. Raises ConfigurationError."""
    rows = read_sentences(path) if path.suffix == ".jsonl" else _plain(path)
    for row in rows:
        if any(map(str.isalpha, row.text)):
            yield Candidate(row, _strata(row, path))


def _plain(path: Path) -> Iterator[SentenceRow]:
    document, before = 1, ""
    for line in read_text(path).split("\n"):
        text = line.strip()
        if text:
            source = f"{path.stem}/{document}"
            yield SentenceRow(id=content_id(source, before, text), src=source, prev=before, text=text)
        elif before:
            document += 1
        before = text


def _strata(row: SentenceRow, path: Path) -> tuple[Stratum, ...]:
    extra = row.model_extra or {}
    role = str(extra.get("role", ""))
    if "signals" not in extra:
        return (Stratum(UNREAD, "", role, row.lang),)
    try:
        codes = sorted({str(signal["code"]) for signal in extra["signals"]})
    except (TypeError, KeyError) as exc:
        raise ConfigurationError(f"{path}: sentence {row.id}: `signals` is no list of signals") from exc
    return tuple(Stratum(code, "", role, row.lang) for code in codes) or (Stratum(NOTHING, "", role, row.lang),)
