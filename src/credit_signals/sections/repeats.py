"""Blocks that a site repeats are kept once, on the page where they matter most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from credit_signals.domain import DroppedBlock, PageRole, Section
from credit_signals.sections.assembly import assemble
from credit_signals.sections.blocks import Block
from credit_signals.sections.splitting import SplitPage
from credit_signals.sections.text import comparison_key
from credit_signals.sections.zones import Zone

# Where a repeated block of text belongs: on the page that is about it before the page that teases it.
_TEXT_ORDER = (
    PageRole.NEWS,
    PageRole.JOBS,
    PageRole.TEAM,
    PageRole.PRODUCTS,
    PageRole.ABOUT,
    PageRole.IMPRINT,
    PageRole.CONTACT,
    PageRole.HOME,
    PageRole.OTHER,
    PageRole.LEGAL,
)
_FRAME_ORDER = (PageRole.HOME, PageRole.IMPRINT, PageRole.CONTACT, PageRole.ABOUT)  # of heads, feet and side columns
_LEAST_RUN = 40  # characters: a shorter repeat (a price, a label) is part of the text around it
_LEAST_TWICE = 25  # characters of a block that is dropped when its own page says it again


@dataclass(frozen=True, slots=True)
class _Place:
    page: int
    position: int


def drop_repeats(split_pages: Sequence[SplitPage]) -> tuple[list[Section], list[DroppedBlock]]:
    """The sections of a site with each repeated block once, and all that was dropped, for every reason.

    Does not depend on the order of the pages.
    """
    keys = [[comparison_key(block.text) for block in page.blocks] for page in split_pages]
    homes = _homes(split_pages, keys)
    sections: list[Section] = []
    dropped: list[DroppedBlock] = []
    for number, page in enumerate(split_pages):
        repeated = [homes[key] != _Place(number, position) for position, key in enumerate(keys[number])]
        elsewhere = [homes[key].page != number for key in keys[number]]
        left_out = _left_out(page.blocks, repeated, elsewhere)
        kept = [
            position for position in range(len(page.blocks)) if page.blocks[position].level or not left_out[position]
        ]
        only_path = frozenset(place for place, position in enumerate(kept) if left_out[position])
        sections.extend(assemble(page.frame, (page.blocks[position] for position in kept), only_path))
        characters = sum(len(block.text) for block, out in zip(page.blocks, left_out, strict=True) if out)
        dropped.extend(page.dropped)
        if characters:
            dropped.append(DroppedBlock(url=page.frame.url, reason="repeated", characters=characters))
    return sections, dropped


def _homes(split_pages: Sequence[SplitPage], keys: list[list[str]]) -> dict[str, _Place]:
    """The one place at which each distinct block is kept."""
    homes: dict[str, _Place] = {}
    ranks: dict[str, tuple[bool, int, int, str, int]] = {}
    for number, page in enumerate(split_pages):
        for position, key in enumerate(keys[number]):
            rank = _rank(page, page.blocks[position], position)
            if key not in ranks or rank < ranks[key]:
                ranks[key], homes[key] = rank, _Place(number, position)
    return homes


def _rank(page: SplitPage, block: Block, position: int) -> tuple[bool, int, int, str, int]:
    framing = block.zone not in {Zone.BODY, Zone.MAIN}
    order = _FRAME_ORDER if framing else _TEXT_ORDER
    role = page.frame.role
    return framing, order.index(role) if role in order else len(order), page.depth, page.frame.url, position


def _left_out(blocks: Sequence[Block], repeated: list[bool], elsewhere: list[bool]) -> list[bool]:
    """Which blocks of a page are dropped: runs of repeats that are long enough to stand for themselves."""
    left_out = [False] * len(blocks)
    start = 0
    while start < len(blocks):
        if not repeated[start]:
            start += 1
            continue
        end = start
        while end < len(blocks) and repeated[end]:
            end += 1
        run = range(start, end)
        framing = all(blocks[position].zone not in {Zone.BODY, Zone.MAIN} for position in run)
        long_run = framing or sum(len(blocks[position].text) for position in run) >= _LEAST_RUN
        for position in run:
            least = 0 if elsewhere[position] else _LEAST_TWICE
            left_out[position] = long_run and len(blocks[position].text) >= least
        start = end
    _keep_headings(blocks, left_out)
    return left_out


def _keep_headings(blocks: Sequence[Block], left_out: list[bool]) -> None:
    """A repeated heading stays with the text under it: a section must not change when another page does."""
    for position in range(len(blocks) - 2, -1, -1):
        block, following = blocks[position], blocks[position + 1]
        leads = block.level and (not following.level or following.level > block.level)
        if left_out[position] and leads and not left_out[position + 1]:
            left_out[position] = False
