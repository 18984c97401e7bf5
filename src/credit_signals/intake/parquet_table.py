"""Parquet lists, read in batches; a row's number counts from 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from credit_signals.errors import CompanyListError
from credit_signals.intake.columns import role_of
from credit_signals.intake.rows import MAX_LINE, Row, Table

_BATCH = 4096


def open_parquet(path: Path) -> Table:
    """Read the schema. Raises CompanyListError; rows are read as they are asked for."""
    try:
        file = pq.ParquetFile(path)
        names = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise CompanyListError(f"{path}: not a readable Parquet file") from exc
    if not any(role_of(name) in {"domain", "url"} for name in names):
        raise CompanyListError(f"{path}: no column is called domain, website, url or homepage")
    return Table(names, _rows(path, file))


def _rows(path: Path, file: pq.ParquetFile) -> Iterator[Row]:
    number = 0
    try:
        with file:
            for batch in file.iter_batches(batch_size=_BATCH):
                columns = [column.to_pylist() for column in batch.columns]
                for values in zip(*columns, strict=True):
                    number += 1
                    yield _row(number, values)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise CompanyListError(f"{path}: damaged after row {number}") from exc


def _row(number: int, values: tuple[object, ...]) -> Row:
    try:
        texts = tuple(_text(value) for value in values)
    except UnicodeDecodeError:
        return Row(number, problem="undecodable bytes")
    if sum(map(len, texts)) > MAX_LINE:
        return Row(number, problem=f"row longer than {MAX_LINE} characters")
    return Row(number, texts)


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
