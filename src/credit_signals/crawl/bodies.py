"""Response bodies from hostile servers: decoded piece by piece, never beyond a limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from credit_signals.domain import FetchStatus
from credit_signals.errors import FetchError

PIECE = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
ACCEPTED_ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}


class BoundedDecoder:
    """Undoes one Content-Encoding (identity, gzip, deflate) and stops at `max_bytes` decoded bytes.

    Never holds more than one decoded piece beyond the limit, so a compression bomb costs 64 KiB. `decoded` is what came
    out so far. Raises FetchError: `too_large` at the limit (with `truncate`, the rest is silently left out and `full`
    is set), `bad_content` for a broken, unknown or stacked encoding.
    """

    def __init__(self, url: str, encoding: str, max_bytes: int, truncate: bool = False) -> None:
        self._url = url
        self._encoding = encoding.strip().lower()
        if self._encoding not in ACCEPTED_ENCODINGS:
            raise FetchError(url, FetchStatus.BAD_CONTENT, f"content encoding {encoding[:40]!r} was not asked for")
        self._max = max_bytes
        self._truncate = truncate
        self._inflater = self._new_inflater()
        self._first = True
        self.decoded = bytearray()
        self.full = False

    def feed(self, data: bytes) -> None:
        """Take a piece of the body as it was sent."""
        if self.full or not data:
            return
        if self._inflater is None:
            self._take(data)
            return
        for piece in self._inflate(self._inflater, data):
            self._take(piece)
            if self.full:
                return

    def finish(self) -> bytes:
        """All decoded bytes; a compressed body that ends early is refused."""
        unfinished = self._inflater is not None and not self._inflater.eof and not self._first
        if unfinished and not self.full:
            raise FetchError(self._url, FetchStatus.BAD_CONTENT, "the compressed body ends early")
        return bytes(self.decoded)

    def _new_inflater(self) -> zlib._Decompress | None:
        if self._encoding in {"", "identity"}:
            return None
        return zlib.decompressobj(zlib.MAX_WBITS if self._encoding == "deflate" else zlib.MAX_WBITS | 16)

    def _inflate(self, inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        while data:
            if inflater.eof:
                # a further gzip member follows, or rubbish that browsers ignore too
                if self._encoding == "deflate" or not data.startswith(GZIP_MAGIC):
                    return
                inflater = self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                piece = inflater.decompress(data, PIECE)
            except zlib.error as exc:
                if not self._first or self._encoding != "deflate":
                    raise FetchError(self._url, FetchStatus.BAD_CONTENT, f"broken {self._encoding} encoding") from exc
                self._first = False  # some servers leave out the zlib header
                inflater = self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            self._first = False
            yield piece
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail

    def _take(self, data: bytes) -> None:
        room = self._max - len(self.decoded)
        self.decoded += data[:room]
        if len(data) > room:
            self.full = True
            if not self._truncate:
                raise FetchError(self._url, FetchStatus.TOO_LARGE, f"more than {self._max} decoded bytes")


def decode_body(url: str, encoding: str, raw: bytes, max_bytes: int) -> bytes:
    """A whole body decoded at once, under the same limits. Raises FetchError."""
    decoder = BoundedDecoder(url, encoding, max_bytes)
    decoder.feed(raw)
    return decoder.finish()
