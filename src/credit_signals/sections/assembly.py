"""From blocks to sections: one block of text under one heading, no longer than a reader's window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from credit_signals.domain import Page, PageRole, Section, SectionKind, Sentence
from credit_signals.sections.blocks import Block
from credit_signals.sections.language import detect_language
from credit_signals.sections.sentences import sentence_spans
from credit_signals.sections.zones import Zone

SOFT_LENGTH = 1_200  # characters of a section, unless one sentence is longer
_SHORT = 280  # neighbours up to here are merged
_HEADING_LENGTH = 160  # characters of a heading kept in the path
_DEEPEST_PATH = 5


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What all sections of a page share."""

    company_id: str
    url: str
    role: PageRole
    html_lang: str

    @classmethod
    def of(cls, page: Page) -> PageFrame:
        """The frame of a page."""
        return cls(page.company_id, page.url, page.role, page.html_lang)


@dataclass(slots=True)
class _Group:
    """Blocks under one heading; the headings are the first of `blocks`."""

    path: tuple[str, ...]
    footer: bool
    blocks: list[Block] = field(default_factory=list)
    bare: bool = True  # nothing but headings so far
    published: str = ""

    @property
    def length(self) -> int:
        return sum(len(block.text) + 1 for block in self.blocks)


def assemble(frame: PageFrame, blocks: Iterable[Block], only_path: frozenset[int] = frozenset()) -> list[Section]:
    """Sections of a page's blocks, in page order.

    `only_path` holds the positions of headings that are told elsewhere: they stay in the path and give no text.
    """
    groups = _merge_short(_carry_bare(_group(blocks, only_path)))
    sections: dict[str, Section] = {}
    for group in groups:
        for section in _sections(frame, group):
            sections.setdefault(section.id, section)
    return list(sections.values())


def _group(blocks: Iterable[Block], only_path: frozenset[int]) -> Iterator[_Group]:
    headings: list[tuple[int, str]] = []
    group = _Group((), footer=False)
    for position, block in enumerate(blocks):
        footer = block.zone is Zone.FOOTER
        if footer is not group.footer:
            headings.clear()
        if block.level:
            while headings and headings[-1][0] >= block.level:
                headings.pop()
            headings.append((block.level, _shortened(block.text)))
        if block.level or footer is not group.footer or _is_another_post(group, block):
            yield group
            group = _Group(tuple(text for _, text in headings[:_DEEPEST_PATH]), footer)
        if position not in only_path:
            group.blocks.append(block)
            group.bare = group.bare and block.level > 0
            group.published = block.published
    yield group


def _is_another_post(group: _Group, block: Block) -> bool:
    """Whether a block is published on another day than the text before it: a post in a list without headings."""
    return not group.bare and block.published != group.published


def _shortened(heading: str) -> str:
    text = heading.replace("\n", " ")
    return text if len(text) <= _HEADING_LENGTH else text[: _HEADING_LENGTH - 1].rstrip() + "…"


def _carry_bare(groups: Iterable[_Group]) -> Iterator[_Group]:
    """Headings without text go to the front of the next section under them, or stand alone."""
    waiting: _Group | None = None
    for group in groups:
        if not group.blocks:
            continue
        if waiting is not None:
            below = group.path[: len(waiting.path)] == waiting.path and group.footer is waiting.footer
            if below and waiting.length + group.length <= SOFT_LENGTH:
                group.blocks = [*waiting.blocks, *group.blocks]
            else:
                yield waiting
        waiting = group if group.bare else None
        if waiting is None:
            yield group
    if waiting is not None:
        yield waiting


def _merge_short(groups: Iterable[_Group]) -> Iterator[_Group]:
    """Very short neighbours under the same heading become one section."""
    current: _Group | None = None
    largest = 0  # of the groups merged into `current`
    for group in groups:
        length = group.length
        if current is not None and _belong_together(current, group) and max(largest, length) <= _SHORT:
            current.path = _common(current.path, group.path)
            current.blocks.extend(group.blocks)
            largest = max(largest, length)
            continue
        if current is not None:
            yield current
        current, largest = replace(group, blocks=list(group.blocks)), length
    if current is not None:
        yield current


def _belong_together(first: _Group, second: _Group) -> bool:
    if first.footer is not second.footer or first.published != second.published:
        return False
    if first.length + second.length > SOFT_LENGTH:
        return False
    shared = len(_common(first.path, second.path))
    return shared >= max(len(first.path), len(second.path)) - 1


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    shared = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        shared += 1
    return first[:shared]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, and what stands before it if it is not the first of its section."""

    text: str
    gap: str
    kind: SectionKind


def _sections(frame: PageFrame, group: _Group) -> Iterator[Section]:
    language = detect_language("\n".join(block.text for block in group.blocks), frame.html_lang)
    pieces: list[_Piece] = []
    length = 0
    for piece in _pieces(group.blocks, language):
        if pieces and length + len(piece.text) > SOFT_LENGTH:
            yield _section(frame, group, pieces, language)
            pieces, length = [], 0
        pieces.append(piece)
        length += len(piece.text) + len(piece.gap)
    if pieces:
        yield _section(frame, group, pieces, language)


def _pieces(blocks: Iterable[Block], language: str) -> Iterator[_Piece]:
    for block in blocks:
        before = 0
        for start, end in sentence_spans(block.text, language):
            gap = block.text[before:start] if before else "\n"
            yield _Piece(block.text[start:end], gap, block.kind)
            before = end


def _section(frame: PageFrame, group: _Group, pieces: list[_Piece], language: str) -> Section:
    written: list[str] = []
    spans: list[Sentence] = []
    kinds: Counter[SectionKind] = Counter()
    position = 0
    for piece in pieces:
        if spans:
            written.append(piece.gap)
            position += len(piece.gap)
        spans.append(Sentence(number=len(spans) + 1, start=position, end=position + len(piece.text)))
        written.append(piece.text)
        position += len(piece.text)
        kinds[piece.kind] += len(piece.text)
    return Section.build(
        company_id=frame.company_id,
        url=frame.url,
        role=frame.role,
        kind=SectionKind.FOOTER if group.footer else kinds.most_common(1)[0][0],
        heading_path=group.path,
        text="".join(written),
        sentences=tuple(spans),
        language=language,
        published=group.published,
    )
