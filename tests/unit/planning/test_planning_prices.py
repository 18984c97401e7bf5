"""The price table."""

from __future__ import annotations

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.planning.prices import load_prices, read_prices

PRICES = load_prices()


def test_every_price_is_for_something() -> None:
    """Each instance has vCPUs and prices, spot below on demand; each service a price and a unit."""
    assert PRICES.region
    assert "check yours" in PRICES.notice
    for instance in PRICES.instances.values():
        assert instance.vcpus > 0 < instance.spot < instance.on_demand
        assert instance.price(spot=True) == instance.spot
    for service in PRICES.services.values():
        assert service.usd > 0
        assert service.per in {"hour", "gb_month", "gb"}


def test_the_smallest_that_is_large_enough() -> None:
    """Of a family the smallest that suffices is taken; beyond the largest, several of it."""
    sizes = sorted(each.size for each in PRICES.services.values() if each.name.startswith("postgres.r"))
    assert PRICES.smallest("postgres.r", 0.1)[0].size == sizes[0]
    assert PRICES.smallest("postgres.r", sizes[0] + 1)[0].size == sizes[1]
    largest, count = PRICES.smallest("postgres.r", sizes[-1] * 2.5)
    assert (largest.size, count) == (sizes[-1], 3)


@pytest.mark.parametrize("look", [PRICES.instance, PRICES.service, lambda name: PRICES.smallest(name, 1)])
def test_a_price_that_is_not_there_is_named(look: object) -> None:
    """Asking for an unknown price is refused with its name."""
    with pytest.raises(ConfigurationError, match="abacus"):
        look("abacus")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('name = "x"\nusd = 1.0\nper = "hour"', "price x: source"),
        ('name = "x"\nusd = 1.0\nper = "hour"\nsource = "s"\nworth = 3', "price x"),
    ],
)
def test_a_price_without_source_or_with_unknown_fields_is_refused(table: str, said: str) -> None:
    """A price must name its source, and hold nothing that nobody reads."""
    head = 'region = "r"\ndate = "2026"\nnotice = "n"\n[[service]]\n'
    with pytest.raises(ConfigurationError, match=said):
        read_prices(head + table)
