"""From a response to a Page: text, title, language and links."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import lxml.html
from lxml import etree
from w3lib.html import get_meta_refresh

from credit_signals.crawl.charsets import decode_text
from credit_signals.crawl.urls import canonical_url
from credit_signals.domain import Fetch, Link

MAX_LINKS = 2_000  # different ones
MAX_ANCHORS = 4 * MAX_LINKS  # elements looked at
MAX_LABEL = 200
LOOKS_LIKE_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|\?xml|!--)", re.IGNORECASE)
HTML_TYPES = {"text/html", "application/xhtml+xml"}
SPACE = re.compile(r"\s+")
REFRESH_BYTES = 4096
LINKING = ("a", "area", "frame", "iframe")


@dataclass(frozen=True, slots=True)
class ParsedPage:
    """What the markup of a page says."""

    html: str
    charset: str
    title: str
    language: str
    links: tuple[Link, ...]
    follow: bool  # the page does not ask robots to ignore its links


def parse_page(fetch: Fetch, body: bytes) -> ParsedPage:
    """Decode and parse a body, however broken; plain text becomes a page with one block."""
    text, charset = decode_text(body, f"{fetch.content_type}; charset={fetch.charset}" if fetch.charset else "")
    kind = fetch.content_type
    if kind not in HTML_TYPES and not LOOKS_LIKE_HTML.match(body):
        escaped = html.escape(text.replace("\x00", ""))
        return ParsedPage(f"<!doctype html><pre>{escaped}</pre>", charset, "", "", (), follow=True)
    text = text.replace("\x00", "")
    root = _tree(text)
    if root is None:
        return ParsedPage(text, charset, "", "", (), follow=True)
    base = _base(root, fetch.final_url)
    links = dict.fromkeys(islice(_links(root, base, text), MAX_ANCHORS))
    robots = " ".join(root.xpath("//meta[translate(@name,'ROBTS','robts')='robots']/@content")).lower()
    return ParsedPage(
        html=text,
        charset=charset,
        title=_label(next(iter(root.xpath("//title[not(ancestor::svg)]")), None)),
        language=_language(root),
        links=tuple(links)[:MAX_LINKS],
        follow="nofollow" not in robots and "none" not in robots.replace(",", " ").split(),
    )


def _tree(text: str) -> lxml.html.HtmlElement | None:
    # bytes in, because lxml refuses text that declares an encoding
    parser = lxml.html.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=False)
    try:
        return lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None  # an empty document


def _base(root: lxml.html.HtmlElement, url: str) -> str:
    href = next(iter(root.xpath("//base/@href")), "")
    return (canonical_url(str(href), url) if href else None) or url


def _links(root: lxml.html.HtmlElement, base: str, text: str) -> Iterator[Link]:
    for element in root.iter(*LINKING):
        raw = str(element.get("href") or element.get("src") or "").strip()
        if not raw or raw.startswith("#"):
            continue
        url = canonical_url(raw, base)
        if url:
            rel = SPACE.sub(" ", element.get("rel") or "").strip().lower()[:100]
            yield Link(url=url, anchor=_anchor(element), rel=rel)
    _, target = get_meta_refresh(text[:REFRESH_BYTES], base)
    refreshed = canonical_url(target, base) if target else None
    if refreshed and refreshed != base:
        yield Link(url=refreshed, rel="refresh")


def _anchor(element: lxml.html.HtmlElement) -> str:
    label = _label(element)
    if label:
        return label
    spoken = element.get("aria-label") or element.get("title") or " ".join(element.xpath(".//img/@alt")[:3])
    return SPACE.sub(" ", str(spoken)).strip()[:MAX_LABEL]


def _label(element: lxml.html.HtmlElement | None) -> str:
    if element is None:
        return ""
    parts: list[str] = []
    length = 0
    for part in element.itertext():
        parts.append(str(part))
        length += len(part)
        if length > 4 * MAX_LABEL:  # a link around half a page
            break
    return SPACE.sub(" ", " ".join(parts)).strip()[:MAX_LABEL]


def _language(root: lxml.html.HtmlElement) -> str:
    declared = root.get("lang") or root.get("xml:lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    if not declared:
        found = root.xpath("//meta[translate(@http-equiv,'CONTELAGU','contelagu')='content-language']/@content")
        declared = next(iter(found), "")
    return str(declared).strip()[:35]
