"""What part of a page an element opens: told by its tag, role, id and class names."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import islice

from lxml import etree

from credit_signals.sections.visibility import HIDDEN_TAGS


class Zone(StrEnum):
    """The part of the page in which a block stands."""

    BODY = "body"  # the page says no more
    MAIN = "main"
    HEADER = "header"
    NAVIGATION = "navigation"
    ASIDE = "aside"
    FOOTER = "footer"


BLOCK_TAGS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dialog"}
    | {"dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html"}
    | {"legend", "li", "main", "menu", "nav", "ol", "optgroup", "p", "pre", "section", "select", "summary", "table"}
    | {"tbody", "textarea", "tfoot", "thead", "tr", "ul", "h1", "h2", "h3", "h4", "h5", "h6", "search", "noindex"}
)
_TAG_ZONES = {
    "nav": Zone.NAVIGATION,
    "main": Zone.MAIN,
    "article": Zone.MAIN,
    "aside": Zone.ASIDE,
    "header": Zone.HEADER,
    "footer": Zone.FOOTER,
}
_ROLE_ZONES = {
    "navigation": Zone.NAVIGATION,
    "menu": Zone.NAVIGATION,
    "menubar": Zone.NAVIGATION,
    "main": Zone.MAIN,
    "complementary": Zone.ASIDE,
    "banner": Zone.HEADER,
    "contentinfo": Zone.FOOTER,
}
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PAGE_WIDE = frozenset({"html", "body", "main"})
_CONTAINERS = frozenset({"div", "section", "ul", "ol", "table", "td", "p", "center", "form", "menu", "span"})
_NAVIGATION_NAME = re.compile(
    r"(?:^|[-_])(?:nav|navbar|navigation|mainnav|subnav|menu|mainmenu|submenu|breadcrumbs?|pagination|pager"
    r"|skip|skip-?link)(?:$|[-_])"
)
_MAIN_NAME = re.compile(
    r"^(?:main|(?:main|page|site|entry|post|the|article|body)?[-_]?content|inhalt|contenu|contenuto|contenido)$"
)
_FOOTER_NAME = re.compile(r"^(?:footer|colophon|fusszeile|bottom-?bar)(?:$|[-_\d])|(?:^|[-_])footer$|^[a-z]*footer$")
_PART_FOOTER = re.compile(r"^(?:card|entry|post|panel|modal|article|table|widget|item|media|box|quote|blockquote)")
_COOKIE_NAME = re.compile(
    r"cookie|consent|gdpr|dsgvo|rgpd|cmplz|borlabs|onetrust|cybot|usercentrics|didomi|iubenda|klaro|cc-window|cky-"
)
_COOKIE_TOPIC = re.compile(r"cookie|consent|einwillig|datenschutz|privacy|confidentialit|privacidad|tracking", re.I)
_COOKIE_ANSWER = re.compile(
    r"accept|agree|allow|reject|refuse|decline|got it|\bok\b|settings|preferences|akzeptier|zustimm|ablehn"
    r"|einverstanden|einstellung|verstanden|erlaub|annehm|tout refuser|j'ai compris|param[eè]tr|personnalis|accett"
    r"|rifiut"
    r"|acconsent|acept|rechaz|configur|aceit|recus|akcept|odrzu",
    re.I,
)
_BANNER_LIMIT = 6_000  # characters: a longer text is a page about cookies, not a banner
_BANNER_ELEMENTS = 400


def zone_of(element: etree._Element, tag: str, outer: Zone) -> Zone:
    """The zone that an element opens inside `outer`; `outer` itself for most."""
    attributes = element.attrib
    role = str(attributes.get("role", "")).strip().lower()
    named = _ROLE_ZONES.get(role) or _TAG_ZONES.get(tag)
    if named is None and tag in _CONTAINERS and ("class" in attributes or "id" in attributes):
        named = _zone_by_name(names_of(element))
    if named is None:
        return outer
    if named in {Zone.HEADER, Zone.FOOTER} and outer is Zone.MAIN:
        return outer  # the head or foot of an article, not of the page
    if outer is Zone.FOOTER and named is not Zone.NAVIGATION:
        return outer
    return named


def _zone_by_name(names: list[str]) -> Zone | None:
    for name in names:
        if _FOOTER_NAME.search(name) and not _PART_FOOTER.match(name):
            return Zone.FOOTER
        if _NAVIGATION_NAME.search(name):
            return Zone.NAVIGATION
        if _MAIN_NAME.search(name):
            return Zone.MAIN
    return None


def names_of(element: etree._Element) -> list[str]:
    """The lower-case class names and the id of an element."""
    attributes = element.attrib
    return f"{attributes.get('id', '')} {attributes.get('class', '')}".lower().split()


def is_cookie_banner(element: etree._Element, tag: str) -> bool:
    """Whether the element asks for consent: named so, about cookies, with an answer to give, and short."""
    if tag in _PAGE_WIDE or tag not in BLOCK_TAGS:
        return False
    if not any(_COOKIE_NAME.search(name) for name in names_of(element)):
        return False
    descendants = list(islice(element.iter(), _BANNER_ELEMENTS + 1))
    if len(descendants) > _BANNER_ELEMENTS:
        return False
    shown = (each for each in descendants if each.tag not in HIDDEN_TAGS)
    text = " ".join(f"{each.text or ''} {'' if each is element else each.tail or ''}" for each in shown)
    if len(text) > _BANNER_LIMIT:
        return False
    return bool(_COOKIE_TOPIC.search(text) and _COOKIE_ANSWER.search(text))


def heading_level(element: etree._Element, tag: str) -> int:
    """1 to 6 for `h1` to `h6` and ARIA headings (level 2 when none is given); 0 for anything else."""
    if tag in _HEADINGS:
        return int(tag[1])
    if str(element.attrib.get("role", "")).strip().lower() != "heading":
        return 0
    level = str(element.attrib.get("aria-level", "2")).strip()
    return min(6, max(1, int(level[:3]))) if level.isascii() and level.isdigit() else 2
