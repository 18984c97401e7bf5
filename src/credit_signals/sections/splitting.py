"""From a page to its sections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from credit_signals.domain import DroppedBlock, Page, Section
from credit_signals.sections.assembly import PageFrame, assemble
from credit_signals.sections.blocks import Block, BlockReader
from credit_signals.sections.dates import date_blocks
from credit_signals.sections.markup import parse_html
from credit_signals.sections.navigation import drop_navigation


@dataclass(frozen=True)
class SplitPage:
    """A page taken apart. `blocks` are what its sections are made of; `dropped` is the text that is left out."""

    frame: PageFrame
    depth: int
    blocks: tuple[Block, ...]
    dropped: list[DroppedBlock]

    @cached_property
    def sections(self) -> list[Section]:
        """The page's sections, blocks that other pages repeat included."""
        return assemble(self.frame, self.blocks)


def split_page(page: Page) -> SplitPage:
    """Take a page apart. Raises SectionError when its HTML cannot be parsed at all."""
    frame = PageFrame.of(page)
    root = parse_html(page.html, page.url)
    if root is None:
        return SplitPage(frame, page.depth, (), [])
    reader = BlockReader(root, page.url)
    reader.read()
    kept, navigation = drop_navigation(reader.blocks, page.url)
    return SplitPage(frame, page.depth, tuple(date_blocks(page, kept)), [*reader.dropped, *navigation])
