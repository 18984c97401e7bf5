"""Which column means what, told by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SYNONYMS: dict[str, tuple[str, ...]] = {
    "id": ("id", "company_id", "companyid", "identifier"),
    "name": ("name", "company", "company_name", "companyname", "firm"),
    "domain": ("domain", "domain_name", "host", "hostname"),
    "url": ("url", "website", "homepage", "web", "web_site", "home_page", "website_url", "company_url"),
    "country": ("country", "country_code", "iso_country", "iso2"),
}
"""Role -> names, the preferred first. Case, spaces, dots and hyphens do not matter."""

_ROLE_OF = {name: role for role, names in SYNONYMS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each role stands; all other columns are extra."""

    names: tuple[str, ...]
    places: dict[str, int]

    def extra(self) -> list[tuple[int, str]]:
        """Place and name of the columns without a role; unnamed ones are called by their number."""
        taken = set(self.places.values())
        return [(i, name.strip() or f"column_{i + 1}") for i, name in enumerate(self.names) if i not in taken]


def role_of(name: str) -> str:
    """The role that a column name stands for, or empty."""
    return _ROLE_OF.get(_folded(name), "")


def find_columns(names: Sequence[str]) -> Columns:
    """Give each role to the column with its most preferred name; at equal names the first."""
    places: dict[str, int] = {}
    for role, synonyms in SYNONYMS.items():
        found = [(synonyms.index(name), i) for i, name in enumerate(map(_folded, names)) if name in synonyms]
        if found:
            places[role] = min(found)[1]
    return Columns(tuple(names), places)


def _folded(name: str) -> str:
    return re.sub(r"[\s.\-_]+", "_", name.strip()).casefold()
