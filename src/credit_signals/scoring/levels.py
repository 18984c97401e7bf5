"""The levels of the activity schemes, told by the shape of a code.

NACE Rev. 2: C > 25 > 25.1 > 25.11 (Regulation (EC) 1893/2006). NAICS 2022: 31-33 > 332 > 3323 > 33231 > 332311.
"""

from __future__ import annotations

from bisect import bisect_right

_NACE_STARTS = (1, 5, 10, 35, 36, 41, 45, 49, 55, 58, 64, 68, 69, 77, 84, 85, 86, 90, 94, 97, 99)
_NACE_SECTIONS = "ABCDEFGHIJKLMNOPQRSTU"  # each from the division at the same place on
_NAICS_RANGES = {
    "31": "31-33",
    "32": "31-33",
    "33": "31-33",
    "44": "44-45",
    "45": "44-45",
    "48": "48-49",
    "49": "48-49",
}


def level_of(scheme: str, code: str) -> int:
    """1 for the coarsest (NACE section, NAICS sector), one more for each step down."""
    if scheme == "NACE2":
        return 1 if code.isalpha() else sum(character.isdigit() for character in code)
    return 1 if "-" in code else max(1, len(code) - 1)


def parent_of(scheme: str, code: str) -> str:
    """The code one level up, or empty at the top and for what is no code."""
    level = level_of(scheme, code)
    if level <= 1:
        return ""
    if scheme != "NACE2":
        return _NAICS_RANGES.get(code[:-1], code[:-1])
    if "." in code:
        return code[:-1].rstrip(".")
    return _NACE_SECTIONS[bisect_right(_NACE_STARTS, int(code)) - 1] if code.isdigit() and int(code) else ""
