"""Parsing untrusted HTML into a tree, whatever its size, depth or faults."""

from __future__ import annotations

import re

from lxml import etree

from credit_signals.errors import SectionError
from credit_signals.sections.text import clean_markup

# libxml2 gives up below 2,048 levels and loses the rest of the page. Only machines and unclosed tags nest that deep.
_NESTING_TAGS = re.compile(
    r"</?(?!(?:script|style|template|noscript|title|head|html|body|p|br|hr|img|input)\b)[a-z][^<>]*>", re.IGNORECASE
)
_TOO_DEEP = "Excessive depth"


def parse_html(html: str, url: str) -> etree._Element | None:
    """The page as a tree, or None when it holds no element. Raises SectionError when it cannot be parsed."""
    markup = clean_markup(html)
    root, too_deep = _parse(markup, url)
    if too_deep:
        root, _ = _parse(_NESTING_TAGS.sub("<br>", markup), url)
    return root


def _parse(markup: str, url: str) -> tuple[etree._Element | None, bool]:
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(markup.encode("utf-8"), parser)
    except (etree.LxmlError, ValueError, AssertionError) as exc:
        if not markup.strip() or "Document is empty" in str(exc):
            return None, False
        raise SectionError(f"{url}: the HTML cannot be parsed: {type(exc).__name__}") from exc
    too_deep = any(_TOO_DEEP in entry.message for entry in parser.error_log)
    return root, too_deep
