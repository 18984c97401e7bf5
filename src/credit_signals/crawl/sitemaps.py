"""Sitemaps (sitemaps.org protocol 0.9) from untrusted servers: bounded, without entities."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from credit_signals.crawl.bodies import GZIP_MAGIC, decode_body
from credit_signals.errors import FetchError

MAX_URLS = 2_000
MAX_FILES = 5  # of one site
MAX_NESTING = 2
FEED_BYTES = 64 * 1024
DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
TEXT_LINE = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """URLs as written: `pages` of a urlset, `nested` sitemaps of an index."""

    pages: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()


def parse_sitemap(url: str, body: bytes, max_bytes: int) -> Sitemap:
    """Read a sitemap (XML, its index, gzipped, or plain text with a URL per line); rubbish gives an empty one.

    Stops at 2,000 URLs. A document type declaration is refused: a sitemap has none, an entity attack needs one.
    """
    if body.startswith(GZIP_MAGIC):
        try:
            body = decode_body(url, "gzip", body, max_bytes)
        except FetchError:
            return Sitemap()
    if b"<" not in body[:200]:
        lines = body.decode("utf-8-sig", "replace").splitlines()[: MAX_URLS * 2]
        return Sitemap(pages=tuple(line.strip() for line in lines if TEXT_LINE.fullmatch(line.strip()))[:MAX_URLS])
    if DOCTYPE.search(body):
        return Sitemap()
    return _parse_xml(body)


def _parse_xml(body: bytes) -> Sitemap:
    parser = etree.XMLPullParser(
        events=("end",), recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    pages: list[str] = []
    nested: list[str] = []
    try:
        for start in range(0, len(body), FEED_BYTES):
            parser.feed(body[start : start + FEED_BYTES])
            for _, element in parser.read_events():
                if isinstance(element, etree._Element):
                    _collect(element, pages, nested)
            if len(pages) + len(nested) >= MAX_URLS:
                break
    except etree.XMLSyntaxError:
        pass  # what came before the broken place counts
    return Sitemap(tuple(pages[:MAX_URLS]), tuple(nested[:MAX_URLS]))


def _collect(element: etree._Element, pages: list[str], nested: list[str]) -> None:
    if not isinstance(element.tag, str):
        return
    parent = element.getparent()
    name, parent_name = _local(element.tag), _local(str(parent.tag)) if parent is not None else ""
    if name == "loc" and element.text:
        if parent_name == "sitemap":
            nested.append(element.text.strip())
        elif parent_name == "url":
            pages.append(element.text.strip())
    elif name in {"url", "sitemap"}:
        element.clear()  # the tree does not grow with the file


def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()
