"""The page as a flat list of blocks: each paragraph, heading, list item, table row or group of address lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from credit_signals.domain import DroppedBlock, SectionKind
from credit_signals.sections.text import clean_text, has_words
from credit_signals.sections.visibility import HIDDEN_TAGS, Visibility
from credit_signals.sections.zones import BLOCK_TAGS, Zone, heading_level, is_cookie_banner, zone_of

PSEUDO_HEADING = 7  # level of a heading that is only set in bold, below every real one
_BOLD_TAGS = frozenset({"b", "strong", "summary"})
_CELLS = frozenset({"td", "th"})
_DEFINITIONS = frozenset({"dt", "dd"})
_FIELDS = frozenset({"input", "option"})
_BREAK_BETWEEN = frozenset({"a", "span", "strong", "b", "small", "label", "em", "i", "time"})
_SEPARATORS = " |·\n"
_RUN_OF_SEPARATORS = re.compile(r"(?: *[|·] *){2,}")
_FILE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|avif)$|^(?:img|dsc|image)[-_ ]?\d", re.IGNORECASE)
_OPTIONS_KEPT = 30  # longer lists of choices are countries and years
_PSEUDO_HEADING_LENGTH = 90
_ANIMATED_PART = 2
_NOSCRIPT_LENGTH = 1_000
_ALT_SPACES = 2
_BEFORE_DATE = 40  # characters: an author, a label
_DATETIME_LENGTH = 40
_ALT_LENGTHS = range(15, 301)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text between two block-level tags. Line breaks in `text` are those that the page sets itself."""

    text: str
    level: int = 0  # heading level 1 to 7; 0: not a heading
    kind: SectionKind = SectionKind.TEXT
    zone: Zone = Zone.BODY
    links: int = 0
    link_characters: int = 0  # of links to pages and of buttons; telephone and mail links are text
    local: bool = False  # all links stay on the page: buttons, "skip to content"
    datetime: str = ""  # what the `datetime` of a `time` element at its start says
    published: str = ""  # ISO 8601 day or month, see Section

    @property
    def is_only_links(self) -> bool:
        """Whether links to pages make up the block."""
        return self.links > 0 and self.link_characters >= 0.8 * len(self.text)


class BlockReader:
    """Walks one page from start to end and gathers its blocks. Iterative: depth costs nothing."""

    def __init__(self, root: etree._Element, url: str) -> None:
        self.blocks: list[Block] = []
        self.dropped: list[DroppedBlock] = []
        self._root = root
        self._url = url
        self._visibility = Visibility(root)
        self._zones: list[tuple[etree._Element | None, Zone]] = [(None, Zone.BODY)]
        self._levels: list[tuple[etree._Element | None, int]] = [(None, 0)]
        self._depth = {"a": 0, "bold": 0, "li": 0, "pre": 0}
        self._alts: list[str] = []
        self._start_buffer()

    def read(self) -> None:
        """Fill `blocks` and `dropped`."""
        walk = etree.iterwalk(self._root, events=("start", "end"))
        skipped: etree._Element | None = None
        for event, element in walk:
            tag = element.tag
            if event == "start":
                reason = self._reason_to_drop(element, tag)
                if reason:
                    self._drop(reason, element)
                    skipped = element
                    walk.skip_subtree()
                else:
                    self._open(element, tag)
                    if element.text:
                        self._add(element.text)
                continue
            if element is skipped:
                skipped = None
            else:
                self._close(element, tag)
            if element.tail:
                self._add(element.tail)
        self._flush()

    def _reason_to_drop(self, element: etree._Element, tag: str) -> str:
        if tag in HIDDEN_TAGS and not _holds_the_page(element, tag):
            return "script" if tag in {"script", "style"} else "hidden"
        if self._visibility.is_hidden(element):
            return "hidden"
        if is_cookie_banner(element, tag):
            return "cookie_banner"
        if tag == "select" and len(element) > _OPTIONS_KEPT:
            return "form_options"
        return ""

    def _drop(self, reason: str, element: etree._Element) -> None:
        if reason == "script" or element.tag == "head":
            return
        texts = (each.text for each in element.iter() if each.text and each.tag not in {"script", "style"})
        tails = (each.tail for each in element.iter() if each.tail and each is not element)
        characters = sum(len(clean_text(text)) for source in (texts, tails) for text in source)
        if characters:
            self.dropped.append(DroppedBlock(url=self._url, reason=reason, characters=characters))

    def _open(self, element: etree._Element, tag: str) -> None:
        zone = zone_of(element, tag, self._zones[-1][1])
        level = heading_level(element, tag)
        if zone is not self._zones[-1][1] or level:
            self._flush()
        if zone is not self._zones[-1][1]:
            self._zones.append((element, zone))
        if level:
            self._levels.append((element, level))
        self._separate(element, tag)
        if _is_control(element, tag):
            self._depth["a"] += 1
            self._links += 1
            self._local_links += tag == "button" or str(element.attrib.get("href", "")).startswith("#")
        elif tag in _BOLD_TAGS:
            self._depth["bold"] += 1
        elif tag in self._depth and tag != "a":
            self._depth[tag] += 1
        elif tag == "time":
            self._note_time(str(element.attrib.get("datetime", "")))
        elif tag == "img":
            self._note_alt(str(element.attrib.get("alt", "")))

    def _separate(self, element: etree._Element, tag: str) -> None:
        """Put what stands between the text so far and the element: a new block, a separator, a line break, a space."""
        self._at_edge = tag in _BREAK_BETWEEN
        if tag in _CELLS:
            self._put(" | ")
        elif tag == "br":
            self._break_line()
        elif tag in _FIELDS:
            self._put(" · ")
        elif tag == "dt" or (tag in BLOCK_TAGS and tag != "dd" and not _fills_cell(element, tag)):
            self._flush()
        elif tag in _BREAK_BETWEEN:
            previous = element.getprevious()
            if previous is not None and previous.tag == tag and not previous.tail and _is_word(previous.text):
                self._put(" ")

    def _close(self, element: etree._Element, tag: str) -> None:
        self._at_edge = tag in _BREAK_BETWEEN
        if tag == "dt":
            if self._characters and not self._buffer[-1].rstrip().endswith((":", "?")):
                self._put(": ")
        elif tag == "dd" or (tag in BLOCK_TAGS and not _fills_cell(element, tag)):
            self._flush()
        if self._zones[-1][0] is element or self._levels[-1][0] is element:
            self._flush()
            if self._zones[-1][0] is element:
                self._zones.pop()
            if self._levels[-1][0] is element:
                self._levels.pop()
        if _is_control(element, tag):
            self._depth["a"] -= 1
        elif tag in _BOLD_TAGS:
            self._depth["bold"] -= 1
        elif tag in self._depth and tag != "a":
            self._depth[tag] -= 1

    def _start_buffer(self) -> None:
        self._buffer: list[str] = []
        self._characters = self._bold_characters = self._link_characters = 0
        self._links = 1 if self._depth["a"] else 0
        self._local_links = 0
        self._datetime = ""
        self._at_edge = False  # an element of a phrase has just opened or closed

    def _add(self, text: str) -> None:
        if not self._depth["pre"]:
            text = text.replace("\n", " ").replace("\r", " ")
        characters = len(text.strip())
        if not characters:
            self._put(" ")
            return
        if self._at_edge and self._buffer and _are_two_words(self._buffer[-1], text):
            self._buffer.append(" ")
        self._at_edge = False
        self._buffer.append(text)
        self._characters += characters
        if self._depth["a"]:
            self._link_characters += characters
        if self._depth["bold"]:
            self._bold_characters += characters

    def _put(self, separator: str) -> None:
        if self._characters:
            self._buffer.append(separator)

    def _break_line(self) -> None:
        if self._levels[-1][1]:
            self._put(" ")
        elif any("\n" in part for part in self._trailing_space()):
            self._flush()  # an empty line is a new paragraph
        else:
            self._put("\n")

    def _trailing_space(self) -> list[str]:
        trailing: list[str] = []
        for part in reversed(self._buffer):
            if part.strip():
                break
            trailing.append(part)
        return trailing

    def _flush(self) -> None:
        if self._characters:
            text = _RUN_OF_SEPARATORS.sub(" | ", clean_text("".join(self._buffer)).strip(_SEPARATORS))
            if has_words(text):
                self.blocks.append(self._block(text))
            elif text:
                self.dropped.append(DroppedBlock(url=self._url, reason="empty", characters=len(text)))
        if self._buffer:
            self._start_buffer()
        elif not self._depth["a"]:
            self._links = self._local_links = 0
        if self._alts:
            zone = self._zones[-1][1]
            self.blocks.extend(Block(alt, zone=zone, kind=_kind(zone, alt, 0)) for alt in self._alts)
            self._alts = []

    def _block(self, text: str) -> Block:
        zone, level = self._zones[-1][1], self._levels[-1][1]
        kind = _kind(zone, text, self._depth["li"])
        bold = self._bold_characters >= 0.95 * self._characters
        if not level and bold and kind is SectionKind.TEXT and _reads_as_heading(text):
            level = PSEUDO_HEADING
        linked = min(self._link_characters, len(text))
        return Block(text, level, kind, zone, self._links, linked, 0 < self._links == self._local_links, self._datetime)

    def _note_time(self, value: str) -> None:
        if not self._datetime and self._characters <= _BEFORE_DATE:
            self._datetime = value[:_DATETIME_LENGTH]

    def _note_alt(self, alt: str) -> None:
        text = clean_text(alt.replace("\n", " "))
        if self._zones[-1][1] is Zone.NAVIGATION or len(text) not in _ALT_LENGTHS or _FILE_NAME.search(text):
            return
        if text.count(" ") >= _ALT_SPACES and not text.lower().endswith("logo"):
            self._alts.append(text)


def _kind(zone: Zone, text: str, list_depth: int) -> SectionKind:
    if zone is Zone.FOOTER:
        return SectionKind.FOOTER
    if " | " in text:
        return SectionKind.TABLE
    return SectionKind.LIST if list_depth else SectionKind.TEXT


def _reads_as_heading(text: str) -> bool:
    return len(text) <= _PSEUDO_HEADING_LENGTH and "\n" not in text and not text.endswith((".", "!", ",", ";"))


def _fills_cell(element: etree._Element, tag: str) -> bool:
    """Whether a paragraph is all that a cell or definition holds, so that it does not break the row."""
    if tag not in {"p", "div"}:
        return False
    parent = element.getparent()
    return parent is not None and parent.tag in (_CELLS | _DEFINITIONS) and len(parent) == 1


def _is_word(text: str | None) -> bool:
    """Whether an element holds more than a letter or two of an animated word, each in its own element."""
    return text is None or len(text) > _ANIMATED_PART


def _are_two_words(before: str, after: str) -> bool:
    """Whether two texts that only a style sheet sets apart read as one glued word: "Ownership" and "19 March"."""
    last, first = before[-1:], after[:1]
    if first.isdigit():
        return last.islower() or before[-4:].isdigit()  # "Month 2024" and "1 November"
    return (last.islower() and first.isupper()) or (last.isdigit() and after[:2].istitle())


def _holds_the_page(element: etree._Element, tag: str) -> bool:
    """Whether a `noscript` was left open or carries the whole page for visitors without scripts."""
    return tag == "noscript" and sum(len(part) for part in islice(element.itertext(), 5_000)) > _NOSCRIPT_LENGTH


def _is_control(element: etree._Element, tag: str) -> bool:
    return tag == "button" or (tag == "a" and _leads_to_a_page(element))


def _leads_to_a_page(element: etree._Element) -> bool:
    href = str(element.attrib.get("href", "")).strip().lower()
    return bool(href) and not href.startswith(("tel:", "mailto:", "callto:", "sms:"))
