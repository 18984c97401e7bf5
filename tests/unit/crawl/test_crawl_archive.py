"""The WARC archive."""

from __future__ import annotations

import errno
import gzip
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from credit_signals.crawl import WarcArchive
from credit_signals.crawl.archive import Exchange
from credit_signals.domain import ArchivedAt
from credit_signals.errors import StoreError, StoreUnavailable

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def exchange(body: bytes = b"<p>hi", **more: object) -> Exchange:
    """A plain exchange."""
    values: dict[str, object] = {
        "url": "https://acme.example/x?y=1",
        "method": "GET",
        "request_headers": [("Host", "acme.example"), ("User-Agent", "t/1")],
        "status": 200,
        "headers": [("Content-Type", "text/html"), ("Transfer-Encoding", "chunked"), ("X-Odd", "ä\r\nInjected: 1")],
        "body": body,
        "at": AT,
    }
    return Exchange(**(values | more))  # type: ignore[arg-type] # overrides come from the tests below


def test_round_trip(tmp_path: Path) -> None:
    """What was written is read back, decoded, and nothing was injected by header bytes."""
    with WarcArchive(tmp_path, "run") as archive:
        first = archive.write(exchange())
        packed = exchange(gzip.compress(b"<p>zip"), headers=[("Content-Encoding", "gzip")])
        second = archive.write(packed)
        back = archive.read(first)
        assert (back.url, back.status, back.body) == ("https://acme.example/x?y=1", 200, b"<p>hi")
        assert back.header("content-type") == "text/html"
        assert back.header("injected") == ""
        assert archive.read(second).body == b"<p>zip"


def test_any_warc_tool_reads_it(tmp_path: Path) -> None:
    """The file is WARC 1.1: info, response and request records with matching digests."""
    with WarcArchive(tmp_path, "run") as archive:
        place = archive.write(exchange(http2=True, truncated="length"))
        archive.write(exchange(b""))
    with (tmp_path / place.file).open("rb") as file:
        records = []
        for record in ArchiveIterator(file, check_digests="raise"):
            record.raw_stream.read()
            records.append((record.rec_type, record.rec_headers.protocol, record.rec_headers))
    assert [kind for kind, _, _ in records] == ["warcinfo", "response", "request", "response", "request"]
    assert {protocol for _, protocol, _ in records} == {"WARC/1.1"}
    headers = records[1][2]
    assert headers.get_header("WARC-Truncated") == "length"
    assert headers.get_header("WARC-Date") == "2026-01-02T03:04:05.000678Z"
    assert records[2][2].get_header("WARC-Concurrent-To") == headers.get_header("WARC-Record-ID")


def test_every_start_has_its_own_file(tmp_path: Path) -> None:
    """Two writers never share a file; one that wrote nothing leaves none."""
    with WarcArchive(tmp_path, "run") as one, WarcArchive(tmp_path, "run") as two, WarcArchive(tmp_path, "run"):
        assert one.write(exchange()).file != two.write(exchange()).file
    assert len(list(tmp_path.iterdir())) == 2


def test_truncated_last_record(tmp_path: Path) -> None:
    """A file that was cut in its last record keeps the others, and the cut one is a clear error."""
    with WarcArchive(tmp_path, "run") as archive:
        places = [archive.write(exchange(bytes([n]) * 5000)) for n in range(3)]
    path = tmp_path / places[0].file
    path.write_bytes(path.read_bytes()[: places[2].offset + 120])
    assert archive.read(places[0]).body == bytes(5000)
    assert archive.read(places[1]).body == b"\x01" * 5000
    with pytest.raises(StoreError, match=r"warc\.gz at"):
        archive.read(places[2])


@pytest.mark.parametrize("file", ["../../etc/passwd", "gone.warc.gz", "", "a/b.warc.gz"])
def test_bad_places(tmp_path: Path, file: str) -> None:
    """A place outside the folder or without a file is an error of the store."""
    with pytest.raises(StoreError):
        WarcArchive(tmp_path, "run").read(ArchivedAt(file=file, offset=0))


def test_damaged_bytes(tmp_path: Path) -> None:
    """A record whose bytes changed does not come back as a page."""
    with WarcArchive(tmp_path, "run") as archive:
        place = archive.write(exchange(b"x" * 3000))
    path = tmp_path / place.file
    data = bytearray(path.read_bytes())
    data[place.offset + 60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StoreError):
        archive.read(place)


def test_full_disk(tmp_path: Path) -> None:
    """A full disk is a clear error and cuts off the unfinished record; the archive goes on when there is room."""
    archive = WarcArchive(tmp_path, "run")
    first = archive.write(exchange())
    size = (tmp_path / first.file).stat().st_size

    class Full:
        """A raw file on a disk with room for ten bytes more."""

        closed = False
        left = 10

        def __init__(self, inner: FileIO) -> None:
            self.truncate, self.seek = inner.truncate, inner.seek
            self.inner = inner

        def write(self, data: memoryview) -> int:
            """Write what there is room for."""
            if not self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            written = self.inner.write(data[: self.left])
            self.left -= written
            return written

    real, archive._file = archive._file, Full(archive._file)
    with pytest.raises(StoreUnavailable, match="No space left"):
        archive.write(exchange(bytes(range(256)) * 20))
    assert (tmp_path / first.file).stat().st_size == size
    archive._file = real
    assert archive.read(archive.write(exchange(b"again"))).body == b"again"
    archive.close()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that is a file is a clear error."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable):
        WarcArchive(tmp_path / "file", "run").write(exchange())


@given(
    st.binary(max_size=300),
    st.lists(st.tuples(st.from_regex(r"[A-Za-z-]{1,10}", fullmatch=True), st.text(max_size=30))),
)
def test_any_bytes_round_trip(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, more: list[tuple[str, str]]
) -> None:
    """Bodies and headers of any bytes come back, whatever a server sends."""
    headers = [(name, value) for name, value in more if name.lower() not in {"content-encoding", "transfer-encoding"}]
    with WarcArchive(tmp_path_factory.mktemp("w"), "run") as archive:
        assert archive.read(archive.write(exchange(body, headers=headers))).body == body
