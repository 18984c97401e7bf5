"""The text of the documents that keyed labels point into, whoever splits it into sentences.

A folder of sources holds, each where it is there:

    reuters21578/*.sgm                     src reuters/<NEWID>
    sentivent/dataset_event_type.tsv       src sentivent/<document_id>: its sentences one after the other
    extraction/html/<file>                 src extraction/<file>
    financedatabase/*.jsonl                src financedatabase/<symbol>: the summary of the company
    <path>                                 any other src: a file, or a folder of pages, in the order of their paths

The text of markup is what remains without tags, then the same with the words of alt, title, placeholder, aria-label,
value and content in their places; entities are resolved, white space is one space. No splitter, no browser and no
extraction has a part in it, so that the same files give the same text for ever.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.json_lines import read_lines

_REUTERS = re.compile(r'<REUTERS[^>]*NEWID="(\d+)"[^>]*>(.*?)</REUTERS>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SHOWN = re.compile(
    r"\b(?:alt|title|placeholder|aria-label|value|content)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE
)
_PAGES = {".html", ".htm"}


class _Company(BaseModel):
    symbol: str
    summary: str = ""


class Documents:
    """Texts of a folder of sources."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigurationError when the folder is not there."""
        if not folder.is_dir():
            raise ConfigurationError(f"source folder {folder} is not there")
        self._folder = folder.resolve()

    def text(self, src: str) -> str | None:
        """The text of a document, or None where it is not in the folder. Raises ConfigurationError."""
        kind, _, name = src.partition("/")
        if kind == "reuters":
            story = self._reuters.get(name)
            return None if story is None else _one_line(html.unescape(story))
        if kind == "sentivent":
            return self._sentivent.get(name)
        if kind == "financedatabase":
            return self._summaries.get(name)
        return self._of_files(f"extraction/html/{name}" if kind == "extraction" else src)

    @cached_property
    def _reuters(self) -> dict[str, str]:
        files = sorted((self._folder / "reuters21578").glob("*.sgm"))
        return dict(pair for path in files for pair in _REUTERS.findall(_read(path, "latin-1")))

    @cached_property
    def _sentivent(self) -> dict[str, str]:
        path = self._folder / "sentivent" / "dataset_event_type.tsv"
        if not path.exists():
            return {}
        sentences: dict[str, list[str]] = {}
        for row in csv.DictReader(_read(path).splitlines(keepends=True), delimiter="\t"):
            sentences.setdefault(row["document_id"], []).append(row["text"])
        return {name: _one_line(" ".join(texts)) for name, texts in sentences.items()}

    @cached_property
    def _summaries(self) -> dict[str, str]:
        files = sorted((self._folder / "financedatabase").glob("*.jsonl"))
        companies = (company for path in files for _, company in read_lines(path, _Company, "a company"))
        return {company.symbol: _one_line(company.summary) for company in companies}

    def _of_files(self, name: str) -> str | None:
        try:
            path = (self._folder / name).resolve()
            if path == self._folder or not path.is_relative_to(self._folder) or not path.exists():
                return None
        except (OSError, ValueError):  # no name of a file: too long, or with a null character
            return None
        files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.suffix in _PAGES]
        return " ".join(text for file in files for text in _texts(_read(file)))


def _texts(markup: str) -> Iterator[str]:
    for shown in ("", _words):
        yield _one_line(html.unescape(_TAG.sub(shown, markup)))


def _words(tag: re.Match[str]) -> str:
    return "".join(f" {double or single} " for double, single in _SHOWN.findall(tag[0]))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _read(path: Path, encoding: str = "utf-8") -> str:
    try:
        return path.read_text(encoding=encoding, errors="replace")
    except OSError as exc:
        raise ConfigurationError(f"source file {path} cannot be read: {exc.strerror}") from exc
