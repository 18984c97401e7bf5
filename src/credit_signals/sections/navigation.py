"""Telling links that lead around the site from text. What is not sure stays: a list of links may be a price list."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from credit_signals.domain import DroppedBlock
from credit_signals.sections.blocks import Block
from credit_signals.sections.zones import Zone

_HEADLINE_LENGTH = 45  # characters of a link from which it reads as a headline, not as a label
_LABEL_LENGTH = 28
_RUN = 3  # labels in a row that make a menu
_RUN_IN_MAIN = 12
_OFTEN = 3  # times that a page repeats a label such as "read more"


def drop_navigation(blocks: list[Block], url: str) -> tuple[list[Block], list[DroppedBlock]]:
    """The blocks that are not navigation, and what was dropped as such."""
    kept: list[Block] = []
    dropped: list[DroppedBlock] = []
    often = Counter(block.text for block in blocks if _is_label(block))
    for (zone, linked), group in groupby(blocks, key=lambda block: (block.zone, _is_label(block))):
        run = list(group)
        if linked:
            menu = _is_menu(zone, run)
            navigation = [block for block in run if menu or block.local or often[block.text] >= _OFTEN]
            run = [block for block in run if not (menu or block.local or often[block.text] >= _OFTEN)]
            if navigation:
                characters = sum(len(block.text) for block in navigation)
                dropped.append(DroppedBlock(url=url, reason="navigation", characters=characters))
        kept.extend(run)
    return kept, dropped


def _is_label(block: Block) -> bool:
    """Whether a block holds nothing but short links."""
    if not block.is_only_links or block.level:
        return False
    longest = _HEADLINE_LENGTH if block.zone is Zone.NAVIGATION else _LABEL_LENGTH
    return block.link_characters / block.links < longest


def _is_menu(zone: Zone, run: list[Block]) -> bool:
    if zone is Zone.NAVIGATION:
        return True
    links = sum(block.links for block in run)
    if zone is Zone.MAIN:
        return links >= _RUN_IN_MAIN
    return links >= _RUN
