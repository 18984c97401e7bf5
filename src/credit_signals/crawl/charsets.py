"""From bytes to text: byte order mark, then what the bytes allow, then HTTP header, then markup, then a detector."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
    to_unicode,
)

META_BYTES = 4096
SAMPLE_BYTES = 20_000
# A detector that may answer anything guesses exotic codecs for short Western pages.
LIKELY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "iso8859_7", "koi8_r",
    "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
]  # fmt: skip
UTF8_ERROR_SHARE = 0.1
NON_ASCII = 0x80
# Python also "decodes" zip, idna, punycode and the like; no page is written in those.
TEXT_CHARSETS = re.compile(
    r"utf-?(?:8|16|32)|iso8859|iso2022|cp(?:125\d|866|874|932|949|950)|koi8|mac|gb|big5|euc|shift|johab|tis|ascii|hz"
)


def decode_text(body: bytes, content_type: str) -> tuple[str, str]:
    """The text of a body and the charset that was used; never raises, undecodable bytes become U+FFFD.

    Valid UTF-8 with a non-ASCII character is taken as UTF-8 even if a single-byte charset is declared: other text is
    practically never valid UTF-8. A declared charset that cannot decode the body gives way to the detector.
    """
    bom_charset, bom = read_bom(body)
    if bom_charset is not None and bom is not None:
        return to_unicode(body[len(bom) :], bom_charset), bom_charset
    declared = http_content_type_encoding(content_type) or html_body_declared_encoding(body[:META_BYTES])
    if declared and not TEXT_CHARSETS.match(codecs.lookup(declared).name.replace("_", "")):
        declared = None
    if declared and declared.startswith(("utf-16", "utf-32")) and b"\x00" not in body:
        declared = None  # markup that was read as ASCII cannot be in these
    charset = declared or "utf-8"
    if body.isascii():
        return to_unicode(body, charset), charset
    if _is_single_byte_or_utf8(charset):
        valid = _strict(body, "utf-8")
        if valid is not None:
            return valid, "utf-8"
    if declared and charset != "utf-8":
        text = to_unicode(body, charset)
        if "\ufffd" not in text:
            return text, charset
    if charset == "utf-8" and _mostly_utf8(body):
        return body.decode("utf-8", "replace"), "utf-8"
    detected = _detect(body)
    return to_unicode(body, detected), detected


def _strict(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


def _is_single_byte_or_utf8(charset: str) -> bool:
    name = codecs.lookup(charset).name
    return name == "utf-8" or name.startswith(("iso8859", "cp125", "koi8", "mac", "ascii"))


def _mostly_utf8(body: bytes) -> bool:
    text = body.decode("utf-8", "replace")
    good = sum(1 for char in text if char > "\x7f" and char != "\ufffd")
    return text.count("\ufffd") <= UTF8_ERROR_SHARE * good


def _detect(body: bytes) -> str:
    start = next((index for index, byte in enumerate(body) if byte >= NON_ASCII), 0)
    sample = body[max(0, start - SAMPLE_BYTES // 2) :][:SAMPLE_BYTES]
    best = from_bytes(sample, cp_isolation=LIKELY, threshold=0.3).best()
    return (resolve_encoding(best.encoding) if best else None) or "cp1252"
