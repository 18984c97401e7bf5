"""Every response in WARC 1.1 files (ISO 28500:2017), one gzip member per record, readable by any WARC tool."""

from __future__ import annotations

import gzip
import os
import re
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped] # warcio ships no types
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped] # warcio ships no types
from warcio.statusandheaders import StatusAndHeaders  # type: ignore[import-untyped] # warcio ships no types
from warcio.timeutils import datetime_to_iso_date  # type: ignore[import-untyped] # warcio ships no types
from warcio.warcwriter import WARCWriter  # type: ignore[import-untyped] # warcio ships no types

from credit_signals.crawl.bodies import decode_body
from credit_signals.domain import ArchivedAt
from credit_signals.errors import FetchError, StoreError, StoreUnavailable

# The body lies in the record as it came, less the transfer coding, which the HTTP library has undone.
HOP_HEADERS = {"transfer-encoding"}
FILE_NAME = re.compile(r"[A-Za-z0-9._-]+\.warc\.gz")
MAX_DECODED = 64 * 1024 * 1024  # of a record read back; a record is written under stricter limits

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response, as they go into the archive. `body` is still content-encoded."""

    url: str
    method: str
    request_headers: Headers
    status: int
    headers: Headers
    body: bytes
    at: datetime
    http2: bool = False
    truncated: str = ""  # WARC-Truncated: "length", "time" or empty


@dataclass(frozen=True, slots=True)
class ArchivedResponse:
    """A response read back from the archive; `body` is decoded."""

    url: str
    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class WarcArchive:
    """A folder of WARC files; one new file per process and start, so a file has one writer.

    A record reaches the operating system in one piece before its place is given out: a killed process leaves at most
    one unfinished record at the end of its file, and nothing refers to it. Raises StoreUnavailable when the disk is
    full (the unfinished record is cut off again).
    """

    def __init__(self, directory: Path, prefix: str) -> None:
        stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}"
        safe_prefix = re.sub(r"[^A-Za-z0-9._-]", "_", prefix) or "crawl"
        self._directory = Path(directory)
        self._name = f"{safe_prefix}-{stamp}-{os.getpid()}-{secrets.token_hex(4)}.warc.gz"
        self._file: Any = None  # opened by the first record, so that an idle shard leaves no file
        self._end = 0
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Flush to the disk and close; further writes start no new file."""
        with self._lock:
            if self._file is not None and not self._file.closed:
                try:
                    os.fsync(self._file.fileno())
                finally:
                    self._file.close()

    def write(self, exchange: Exchange) -> ArchivedAt:
        """Append a response record and its request record; safe from several threads."""
        response, request = _members(exchange)
        with self._lock:
            if self._file is None:
                self._start_file()
            offset = self._end
            self._append(response + request)
        return ArchivedAt(file=self._name, offset=offset)

    def read(self, place: ArchivedAt) -> ArchivedResponse:
        """The response at a place. Raises StoreError when it is missing or damaged."""
        if not FILE_NAME.fullmatch(place.file):
            raise StoreError(f"archive: {place.file!r} is not the name of an archive file")
        try:
            with (self._directory / place.file).open("rb") as file:
                file.seek(place.offset)
                return _read_record(file, place)
        except OSError as exc:
            raise StoreError(f"archive: {place.file} at {place.offset} cannot be read") from exc

    def _start_file(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            # unbuffered: what write() has returned from survives a kill
            self._file = (self._directory / self._name).open("xb", buffering=0)
        except OSError as exc:
            raise StoreUnavailable(f"archive: {self._directory / self._name}: {exc.strerror}") from exc
        info = {"software": "credit-signals", "format": "WARC File Format 1.1"}
        out = BytesIO()
        writer = _writer(out)
        writer.write_record(writer.create_warcinfo_record(self._name, info))
        self._append(gzip.compress(out.getvalue(), 6))

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except (OSError, ValueError) as exc:
            self._cut_back()
            reason = exc.strerror if isinstance(exc, OSError) else str(exc)
            raise StoreUnavailable(f"archive: {self._directory / self._name}: {reason}") from exc
        self._end += len(data)

    def _cut_back(self) -> None:
        if not self._file.closed:
            self._file.truncate(self._end)
            self._file.seek(self._end)


def _writer(out: BytesIO) -> Any:
    return WARCWriter(out, gzip=False, warc_version="1.1")


def _members(exchange: Exchange) -> tuple[bytes, bytes]:
    """The two records, each one gzip member."""
    date = datetime_to_iso_date(exchange.at.astimezone(UTC).replace(tzinfo=None), use_micros=True)
    response_out, request_out = BytesIO(), BytesIO()
    writer = _writer(response_out)
    fields = {"WARC-Date": date}
    if exchange.truncated:
        fields["WARC-Truncated"] = exchange.truncated
    if exchange.http2:
        fields["WARC-Protocol"] = "h2"
    kept = [(name, value) for name, value in _ascii(exchange.headers) if name.lower() not in HOP_HEADERS]
    response = writer.create_warc_record(
        exchange.url,
        "response",
        payload=BytesIO(exchange.body),
        length=len(exchange.body),
        http_headers=StatusAndHeaders(_status_line(exchange.status), kept, protocol="HTTP/1.1"),
        warc_headers_dict=fields,
    )
    writer.write_record(response)
    path = "/" + exchange.url.split("://", 1)[-1].partition("/")[2]
    request_line = StatusAndHeaders(f"{path} HTTP/1.1", list(_ascii(exchange.request_headers)), exchange.method, True)
    record_id = response.rec_headers.get_header("WARC-Record-ID")
    request = writer.create_warc_record(
        exchange.url,
        "request",
        http_headers=request_line,
        warc_headers_dict={"WARC-Date": date, "WARC-Concurrent-To": record_id},
    )
    _writer(request_out).write_record(request)
    return gzip.compress(response_out.getvalue(), 6), gzip.compress(request_out.getvalue(), 6)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def _ascii(headers: Headers) -> list[tuple[str, str]]:
    """Header bytes outside ASCII are escaped: warcio writes ASCII only."""
    return [
        (name, re.sub(r"[\r\n\x00]", " ", value).encode("ascii", "backslashreplace").decode("ascii"))
        for name, value in headers
    ]


def _read_record(file: Any, place: ArchivedAt) -> ArchivedResponse:
    where = f"archive: {place.file} at {place.offset}"
    try:
        record = next(ArchiveIterator(BytesIO(_read_member(file)), check_digests="raise"), None)
        if record is None or record.rec_type != "response" or record.http_headers is None:
            raise StoreError(f"{where} is not a response")
        url = str(record.rec_headers.get_header("WARC-Target-URI"))
        raw = record.raw_stream.read()
        headers = [(str(name), str(value)) for name, value in record.http_headers.headers]
        status = int(record.http_headers.get_statuscode())
        encoding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
        body = decode_body(url, encoding, raw, MAX_DECODED)
    except (ArchiveLoadFailed, ValueError, zlib.error, FetchError) as exc:
        raise StoreError(f"{where} is damaged: {exc}") from exc
    return ArchivedResponse(url, status, headers, body)


def _read_member(file: Any) -> bytes:
    """The gzip member at the file's position, whole: warcio would read a cut one as if it were complete."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    member = bytearray()
    while not inflater.eof:
        piece = file.read(1 << 16)
        if not piece:
            raise ValueError("the record ends early")
        member += inflater.decompress(piece, MAX_DECODED)
        if inflater.unconsumed_tail or len(member) > MAX_DECODED:
            raise ValueError("the record is larger than any that is written")
    return bytes(member)
