"""The price table: list prices of one region, each with its source and date."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from credit_signals.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Instance:
    """A machine by the hour. `speed`: of one vCPU against the core on which the figures were measured (assumed).

    `tera_flops`: of its GPU, dense BF16; 0 without one.
    """

    name: str
    vcpus: int
    memory_gib: float
    on_demand: float
    spot: float
    speed: float = 1.0
    tera_flops: float = 0.0

    def price(self, spot: bool) -> float:
        """Dollars an hour."""
        return self.spot if spot else self.on_demand


@dataclass(frozen=True, slots=True)
class Service:
    """A price of something else: dollars `per` hour, gb_month, gb or million."""

    name: str
    usd: float
    per: str
    size: float = 0.0  # vCPUs of a database, usable GiB of a cache


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices. Lookups raise ConfigurationError naming what there is."""

    region: str
    date: str
    notice: str
    instances: Mapping[str, Instance]
    services: Mapping[str, Service]

    def instance(self, name: str) -> Instance:
        """An instance type."""
        if name not in self.instances:
            raise ConfigurationError(f"no price of instance {name!r}; there are {', '.join(self.instances)}")
        return self.instances[name]

    def service(self, name: str) -> Service:
        """A service's price."""
        if name not in self.services:
            raise ConfigurationError(f"no price of {name!r}; there are {', '.join(self.services)}")
        return self.services[name]

    def smallest(self, prefix: str, size: float) -> tuple[Service, int]:
        """The cheapest way to have `size` of a family of services: which, and how many of it."""
        family = sorted(
            (each for each in self.services.values() if each.name.startswith(prefix)), key=lambda each: each.size
        )
        if not family:
            raise ConfigurationError(f"no price of {prefix}...")
        for each in family:
            if each.size >= size:
                return each, 1
        largest = family[-1]
        return largest, int(-(-size // largest.size))


def load_prices() -> Prices:
    """The prices of prices.toml, which lies beside this module."""
    return read_prices(resources.files("credit_signals.planning").joinpath("prices.toml").read_text("utf-8"))


def read_prices(text: str) -> Prices:
    """Prices from TOML. Raises ConfigurationError where one lacks its price, source or date."""
    tables = tomllib.loads(text)
    instances = [_of(Instance, table, tables) for table in tables.get("instance", [])]
    services = [_of(Service, table, tables) for table in tables.get("service", [])]
    return Prices(
        region=tables["region"],
        date=tables["date"],
        notice=tables["notice"],
        instances={each.name: each for each in instances},
        services={each.name: each for each in services},
    )


def _of(kind: type[Any], table: Mapping[str, Any], tables: Mapping[str, Any]) -> Any:
    about: Sequence[str] = ("source", "date", "note")
    name = table.get("name", "without a name")
    if not table.get("source") or not (table.get("date") or tables.get("date")):
        raise ConfigurationError(f"price {name}: source and date are missing")
    try:
        return kind(**{key: value for key, value in table.items() if key not in about})
    except TypeError as exc:
        raise ConfigurationError(f"price {name}: {exc}") from exc
