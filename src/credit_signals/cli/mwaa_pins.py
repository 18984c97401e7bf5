"""Which versions a foreign Airflow gets: its own where it has any, else those that the project was tested with.

A version of Airflow's is raised only where a package that comes with the project needs a newer one.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]+))?")

Pins = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Airflow holds `held` of a package, and `by` asks for `asked`. `taken` is what is installed."""

    name: str
    held: str
    by: str
    asked: str
    taken: str


def read_pins(text: str, python: str) -> dict[str, str]:
    """Versions by name in a lock or a constraints file, of the lines that count for this Python on Linux."""
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    here |= {"platform_system": "Linux", "os_name": "posix", "extra": ""}
    pins: dict[str, str] = {}
    for line in text.splitlines():
        found = _PIN.match(line)
        if found and (not found[3] or Marker(found[3].strip()).evaluate(here)):
            pins[canonicalize_name(found[1])] = found[2]
    return pins


def join_pins(held: Pins, locked: Pins, asked: Mapping[str, Requirement]) -> tuple[dict[str, str], list[Difference]]:
    """Constraints of both, and where they differ. `held` is Airflow's, `asked` what the project asks for, by name.

    What Airflow holds below what the project itself asks for stays and is told: the project asks for what it is tested
    with. What a package asks for that only the project brings is raised to the locked version.
    """
    differences = [
        Difference(name, held[name], "the project", str(wanted.specifier), held[name])
        for name, wanted in asked.items()
        if name in held and not wanted.specifier.contains(held[name], prereleases=True)
    ]
    pins: dict[str, str] = {**locked, **held}
    waiting = [name for name in sorted(_closure(asked)) if name not in held and name in locked]
    while waiting:
        by = waiting.pop()
        for wanted in _requirements_of(by, frozenset()):
            name = canonicalize_name(wanted.name)
            if name in held and name in locked and not wanted.specifier.contains(pins[name], prereleases=True):
                pins[name] = locked[name]
                differences.append(Difference(name, held[name], by, str(wanted.specifier), locked[name]))
                waiting.append(name)
    return pins, differences


def _closure(asked: Mapping[str, Requirement]) -> set[str]:
    """Names of all that the requirements bring, as this environment has it."""
    waiting, seen = [(name, frozenset(wanted.extras)) for name, wanted in asked.items()], set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        waiting += [(canonicalize_name(each.name), frozenset(each.extras)) for each in _requirements_of(name, extras)]
    return {name for name, _ in seen}


def _requirements_of(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    try:
        lines = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:  # for another platform
        return
    for line in lines:
        wanted = Requirement(line)
        marker = wanted.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield wanted
