"""What a page tells machines of organisations: JSON-LD, microdata and RDFa Lite, all as nodes of one shape.

A node is a dict as JSON-LD has it: `@type`, and properties whose values are texts, nodes or lists of both
(schema.org; microdata: HTML standard, section 5; RDFa Lite 1.1).
"""

from __future__ import annotations

import html
import json
import re
from itertools import islice
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.filter import SoupStrainer

from credit_signals.sections.text import clean_markup

Node = dict[str, Any]
_TOLD = re.compile(r"ld\+json|itemtype|\btypeof\s*=", re.IGNORECASE)
_WRAPPING = re.compile(r"<!--|-->|/\*\s*<!\[CDATA\[\s*\*/|/\*\s*\]\]>\s*\*/|<!\[CDATA\[|\]\]>")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")  # XHTML is read as HTML, as browsers do
_LONGEST_PAGE = 2_000_000  # characters
_LIMIT = 500_000  # characters of one script
_LONGEST_VALUE = 500  # characters of one property
_STRINGS = 100  # of one property
_ELEMENTS = 5_000  # of one item
_VALUE_ATTRIBUTES = ("content", "href", "src", "datetime", "data")


class _Telling(SoupStrainer):
    """Lets only scripts of JSON-LD and elements that open an item be built, with all that they hold."""

    def __init__(self) -> None:
        super().__init__("script")

    def allow_tag_creation(self, nsprefix: str | None, name: str, attrs: Any) -> bool:
        """Whether an element is worth building."""
        if name == "script":
            return "ld+json" in str(attrs.get("type", "")).lower()
        return "itemtype" in attrs or "typeof" in attrs


def structured_data(markup: str) -> tuple[list[Any], list[Node]]:
    """The JSON-LD values of a page, and its items of microdata and RDFa."""
    if not _TOLD.search(markup):
        return [], []
    told = _XML_DECLARATION.sub("", clean_markup(markup[:_LONGEST_PAGE]), count=1)
    soup = BeautifulSoup(told, "lxml", parse_only=_Telling())
    scripts = [_parsed(str(script.string or "")) for script in soup.find_all("script", recursive=False)]
    items = [item for element in soup.find_all(_opens_item, recursive=False) for item in _items(element)]
    return scripts, items


def _parsed(script: str) -> Any:
    cleaned = _WRAPPING.sub("", script[:_LIMIT]).strip().rstrip(";")
    for attempt in (cleaned, _TRAILING_COMMA.sub(r"\1", cleaned), html.unescape(cleaned)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _items(root: Tag) -> list[Node]:
    """The item that an element opens, and those inside it that are no value of a property."""
    top: Node = {"@type": _types(root)}
    nodes, found = {id(root): top}, [top]
    for count, element in enumerate(root.find_all(True)):
        if count == _ELEMENTS:
            break
        owner = next((nodes[id(parent)] for parent in element.parents if id(parent) in nodes), top)
        value: Any = None
        if _opens_item(element):
            value = nodes[id(element)] = {"@type": _types(element)}
            if not _names(element):
                found.append(value)
        for name in _names(element):
            owner.setdefault(name, []).append(value if value is not None else _value(element))
    return found


def _opens_item(element: Tag) -> bool:
    return element.has_attr("itemtype") or element.has_attr("itemscope") or element.has_attr("typeof")


def _types(element: Tag) -> list[str]:
    return f"{_attribute(element, 'itemtype')} {_attribute(element, 'typeof')}".split()


def _names(element: Tag) -> list[str]:
    written = f"{_attribute(element, 'itemprop')} {_attribute(element, 'property')}".split()
    return [re.split(r"[/:#]", name)[-1] for name in written]


def _value(element: Tag) -> str:
    for attribute in _VALUE_ATTRIBUTES:
        value = _attribute(element, attribute)
        if value and not (attribute == "href" and value.startswith(("tel:", "#"))):
            return value[:_LONGEST_VALUE]
    return " ".join(islice(element.stripped_strings, _STRINGS))[:_LONGEST_VALUE]


def _attribute(element: Tag, name: str) -> str:
    value = element.get(name, "")
    return value if isinstance(value, str) else " ".join(value or [])
