"""Which elements a visitor cannot see, as far as the page alone tells.

External style sheets are not read. A rule of the page's own `<style>` counts only when nothing else on the page names
the class or id: text that a script or a second rule shows again (tabs, accordions) is content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

# Never shown, or shown only to a visitor without scripts.
HIDDEN_TAGS = frozenset(
    {"head", "title", "script", "style", "template", "noscript", "noframes", "noembed", "object", "applet", "canvas"}
    | {"audio", "video", "iframe", "datalist", "svg", "map", "link", "meta", "base", "param", "source", "track"}
)
_HIDDEN_CLASSES = frozenset({"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text"})
_FAR_AWAY = re.compile(
    r"(?:^|;)(?:left|right|top|text-indent|margin-left|margin-top):-(?:\d{4,}|9\d\d)(?:px|em|rem|vw|vh|%)"
)
_CLIPPED = re.compile(r"(?:^|;)clip(?:-path)?:(?:rect\(0(?:px)?[, ]*0|rect\(1px[, ]*1px|inset\((?:50|100)%)")
_NO_SIZE = re.compile(r"(?:^|;)font-size:0(?:\.0+)?(?:px|pt|em|rem|%)?(?:;|$)")
_COLOUR = re.compile(r"(?:^|;)color:([^;]+)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;]+)")
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_CSS_RULE = re.compile(r"([^{}]*)([{}])")
_SIMPLE_SELECTOR = re.compile(r"[a-z][a-z0-9]*?([.#][\w-]+)|([.#][\w-]+)", re.IGNORECASE)
_NAME = re.compile(r"[\w-]+")
_STYLE_LIMIT = 500_000  # characters of style and script that are looked at


def declares_hidden(style: str) -> bool:
    """Whether CSS declarations hide an element: display, visibility, off-screen, clipped or same-coloured text."""
    declarations = re.sub(r"\s*([:;,])\s*", r"\1", style.lower().replace("!important", "")).strip()
    if re.search(r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse))\s*(?:;|$)", declarations):
        return True
    if _FAR_AWAY.search(declarations) and ("position:" in declarations or "text-indent:" in declarations):
        return True
    if _CLIPPED.search(declarations):
        return True
    colour, background = _COLOUR.search(declarations), _BACKGROUND.search(declarations)
    if colour and background:
        return colour[1].strip() == background[1].strip()
    # Gradient text is coloured through its background.
    return bool(colour and colour[1].strip() == "transparent" and "background-clip:" not in declarations)


class Visibility:
    """Tells the hidden elements of one page."""

    def __init__(self, root: etree._Element) -> None:
        self._hidden_names = frozenset(_hidden_names(root))

    def is_hidden(self, element: etree._Element) -> bool:
        """Whether the element and all below it cannot be seen."""
        attributes = element.attrib
        if "hidden" in attributes and str(attributes["hidden"]).lower() != "until-found":
            return True
        style = attributes.get("style")
        if style and (declares_hidden(str(style)) or (len(element) == 0 and _no_size(str(style)))):
            return True
        classes = str(attributes.get("class", "")).split()
        if _HIDDEN_CLASSES.intersection(classes):
            return True
        if not self._hidden_names:
            return False
        names = {f".{name}" for name in classes}
        names.add(f"#{attributes.get('id', '')}")
        return not names.isdisjoint(self._hidden_names)


def _no_size(style: str) -> bool:
    return _NO_SIZE.search(re.sub(r"\s*([:;])\s*", r"\1", style.lower())) is not None


def _hidden_names(root: etree._Element) -> Iterator[str]:
    """Class and id selectors of the page's own style that hide, and that nothing else on the page names."""
    css = _CSS_COMMENT.sub(" ", " ".join(_texts(root, "style"))[:_STYLE_LIMIT])
    candidates: set[str] = set()
    elsewhere: list[str] = ["\n".join(_texts(root, "script"))[:_STYLE_LIMIT]]
    for selector, declarations in _rules(css):
        parts = [part.strip() for part in selector.split(",")]
        hides = declarations is not None and declares_hidden(declarations)
        for part in parts:
            simple = _SIMPLE_SELECTOR.fullmatch(part)
            if hides and simple:
                candidates.add(simple[1] or simple[2])
            else:
                elsewhere.append(part)
    if candidates:
        named = set(_NAME.findall("\n".join(elsewhere)))
        yield from (name for name in candidates if name[1:] not in named)


def _rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Selector and declarations of each rule; a rule inside an at-rule gives no declarations: not always."""
    open_selectors: list[str] = []
    for match in _CSS_RULE.finditer(css):
        content, brace = match[1].strip(), match[2]
        if brace == "{":
            open_selectors.append(content.rpartition(";")[2].strip())
        elif open_selectors:
            selector = open_selectors.pop()
            if not selector.startswith("@"):
                yield selector, None if open_selectors else content


def _texts(root: etree._Element, tag: str) -> Iterator[str]:
    for element in root.iter(tag):
        if element.text:
            yield element.text
