"""CSV lists: unknown encoding, delimiter and header, read line by line.

A quote that is never closed costs its own line only: lines are joined for it up to a bound, then it is refused.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from credit_signals.errors import CompanyListError
from credit_signals.intake.address import BadAddressError, parse_address
from credit_signals.intake.columns import role_of
from credit_signals.intake.rows import MAX_LINE, Row, Table

DELIMITERS = ",;\t|"
MAX_JOINED = 20
"""Physical lines that one quoted record may span."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UTF16_BE = re.compile(rb"(?:\x00[^\x00]){2}")
_UTF16_LE = re.compile(rb"(?:[^\x00]\x00){2}")
_SIGNATURES = {b"PK\x03\x04": "a ZIP archive or a spreadsheet", b"\x1f\x8b": "gzip-compressed", b"%PDF": "a PDF file"}

Line = tuple[int, str]


def open_csv(path: Path) -> Table:
    """Find out encoding, delimiter and header. Raises CompanyListError; rows are read as they are asked for."""
    encoding = find_encoding(path)
    lines = _lines(path, encoding)
    number, header = next(((n, text) for n, text in lines if text.strip()), (0, ""))
    if not number:
        raise CompanyListError(f"{path}: the list is empty")
    told = re.fullmatch(r"sep=([,;\t|])\s*", header)  # a spreadsheet's note to itself
    if told:
        number, header = next(lines, (number, ""))
    if _CONTROL.search(header) or _undecodable(header):
        raise CompanyListError(f"{path}: not a text file")
    delimiter = told[1] if told else _delimiter(header)
    names = _fields(header, delimiter) or []
    if any(role_of(name) in {"domain", "url"} for name in names):
        return Table(tuple(names), _rows(lines, delimiter, len(names)))
    if len(names) == 1 and _is_address(names[0]):
        return Table(("domain",), _rows(chain([(number, header)], lines), delimiter, 1))
    raise CompanyListError(f"{path}: no column is called domain, website, url or homepage")


def find_encoding(path: Path) -> str:
    """The encoding of a text file: by its byte-order mark, else UTF-8, else Windows-1252 (a superset of Latin-1).

    A file most of whose non-ASCII lines are UTF-8 is UTF-8 with some damaged lines.
    """
    with path.open("rb") as file:
        start = file.read(4096)
        for signature, meaning in _SIGNATURES.items():
            if start.startswith(signature):
                raise CompanyListError(f"{path}: {meaning}, not a CSV or Parquet file")
        if start.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if _UTF16_BE.match(start):
            return "utf-16-be"
        if _UTF16_LE.match(start):
            return "utf-16-le"
        file.seek(0)
        return _utf8_or_ansi(file)


def _utf8_or_ansi(file: BinaryIO) -> str:
    good = bad = 0
    while line := file.readline(MAX_LINE):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            good += 1
        except UnicodeDecodeError:
            bad += 1
    return "cp1252" if bad > good else "utf-8"


def _lines(path: Path, encoding: str) -> Iterator[Line]:
    """Numbered lines without their end; one longer than MAX_LINE is cut there, never held whole."""
    # marks of damage that `_undecodable` finds again; UTF-16 cannot escape every bad byte
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    with path.open("r", encoding=encoding, errors=errors) as file:
        number = 0
        while line := _next_line(file):
            number += 1
            yield number, line.removesuffix("\n")


def _next_line(file: TextIO) -> str:
    line = piece = file.readline(MAX_LINE + 1)
    while piece and not piece.endswith("\n"):
        piece = file.readline(MAX_LINE)
    return line


def _rows(lines: Iterator[Line], delimiter: str, width: int) -> Iterator[Row]:
    pending: list[Line] = []
    while True:
        first = pending.pop(0) if pending else next(lines, None)
        if first is None:
            return
        number, text = first
        if len(text) > MAX_LINE:
            yield Row(number, problem=f"line longer than {MAX_LINE} characters")
            continue
        fields = _fields(text, delimiter)
        if fields is None:
            fields, used = _join(first, pending, lines, delimiter)
            del pending[:used]
        yield from _row(number, fields, width)


def _join(first: Line, pending: list[Line], lines: Iterator[Line], delimiter: str) -> tuple[list[str] | None, int]:
    """Go on with the next lines until the open quote closes; lines not used stay in `pending`."""
    text = first[1]
    for used in range(1, MAX_JOINED):
        if len(pending) < used:
            following = next(lines, None)
            if following is None:
                break
            pending.append(following)
        text += "\n" + pending[used - 1][1]
        if len(text) > MAX_LINE:
            break
        fields = _fields(text, delimiter)
        if fields is not None:
            return fields, used
    return None, 0


def _row(number: int, fields: list[str] | None, width: int) -> Iterator[Row]:
    if fields is None:
        yield Row(number, problem="quote that is never closed")
        return
    while len(fields) > width and not fields[-1].strip():
        fields.pop()  # delimiters that a spreadsheet leaves at the end
    if not any(field.strip() for field in fields):
        return
    if len(fields) != width:
        yield Row(number, problem=f"{len(fields)} fields where the header has {width}")
    elif any(_undecodable(field) for field in fields):
        yield Row(number, problem="undecodable bytes")
    elif any(_CONTROL.search(field) for field in fields):
        yield Row(number, problem="control characters")
    else:
        yield Row(number, tuple(fields))


def _fields(text: str, delimiter: str) -> list[str] | None:
    """The fields of one record; None when a quote is still open (the reader then asks for the line that follows)."""
    reader = csv.reader([text, ""], delimiter=delimiter)
    fields = next(reader, [])
    return fields if reader.line_num == 1 else None


def _delimiter(header: str) -> str:
    def quality(delimiter: str) -> tuple[int, int]:
        names = _fields(header, delimiter) or []
        return sum(bool(role_of(name)) for name in names), len(names)

    return max(DELIMITERS, key=quality)


def _undecodable(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) or "\ufffd" in text


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except BadAddressError:
        return False
    return True
