"""Sentence boundaries with exact offsets."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from sentencex import segment  # type: ignore[import-untyped]  # the package ships no types

_LONGEST = 700  # characters: a reader's window holds a sentence whole
_LINE = 60  # characters: lines up to here are an address or a list set with line breaks
_GROUP = 160  # characters of short lines that stay one sentence
_CUT = re.compile(r"[;:,)\]]\s|\s[–—|·•-]\s|\s")


def sentence_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Start and end of each sentence of one block, stripped, in order and disjoint."""
    spans: list[tuple[int, int]] = []
    for start, end in _line_groups(text):
        for first, last in _segments(text[start:end], language):
            spans.extend(_bounded(text, start + first, start + last))
    return spans


def _line_groups(text: str) -> Iterator[tuple[int, int]]:
    """Parts of a block that cannot share a sentence: lines set apart by line breaks, unless they run on."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text)]
    if len(lines) <= 1:
        yield from lines
        return
    if all(end - start <= _LINE for start, end in lines) and not re.search(r"[.!?]\n", text):
        if len(text) <= _GROUP:
            yield 0, len(text)
        else:
            yield from lines
        return
    opened = lines[0][0]
    for (_, end), (following, _) in itertools.pairwise(lines):
        if not _runs_on(text[end - 1], text[following]):
            yield opened, end
            opened = following
    yield opened, lines[-1][1]


def _runs_on(last: str, first: str) -> bool:
    return last == "," or (first.islower() and last not in ".!?:")


def _segments(text: str, language: str) -> Iterator[tuple[int, int]]:
    """What the library finds; a cut without a space, or before a colon, fell into an abbreviation and is undone."""
    position = 0
    opened: tuple[int, int] | None = None
    for part in segment(language or "en", text.replace("\n", " ")):
        stripped = part.strip()
        start = position + len(part) - len(part.lstrip())
        position += len(part)
        if not stripped:
            continue
        end = start + len(stripped)
        if opened is not None and (opened[1] == start or stripped[0] in ":;,)"):
            opened = opened[0], end
            continue
        if opened is not None:
            yield opened
        opened = start, end
    if opened is not None:
        yield opened


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, cut at its last pause wherever it is too long."""
    while end - start > _LONGEST:
        window = text[start : start + _LONGEST]
        pauses = [match.end() for match in _CUT.finditer(window, _LONGEST // 2)]
        cut = pauses[-1] if pauses else _LONGEST
        stop = start + len(window[:cut].rstrip())
        yield start, stop
        start += cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end
