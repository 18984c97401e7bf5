"""Limits and what is asked for first."""

from __future__ import annotations

import pytest

from credit_signals.crawl import FetchLimits
from credit_signals.crawl.home import next_start, start_url, start_urls
from credit_signals.domain import Company, FetchStatus
from credit_signals.errors import ConfigurationError, FetchError


@pytest.mark.parametrize("target", ["127.0.0.1", "", "host:", "::1:80", "a b:80"])
def test_connect_to_needs_a_port(target: str) -> None:
    """A wrong override is refused when it is set, not at the first request."""
    with pytest.raises(ConfigurationError, match="connect_to"):
        FetchLimits(connect_to={"*": target})


def test_robots_token() -> None:
    """Groups of robots.txt are matched by the product token."""
    assert FetchLimits().robots_token == "credit-signals"
    assert FetchLimits(connect_to={"*": "[::1]:80"}, user_agent="Bot (x)").robots_token == "Bot"


def test_starts() -> None:
    """A dead name is tried with www, a dead https with http, and nothing else."""
    assert next_start("https://a.de/", FetchStatus.DNS_ERROR) == "https://www.a.de/"
    assert next_start("https://www.a.de/", FetchStatus.DNS_ERROR) is None
    assert next_start("https://10.0.0.1/", FetchStatus.DNS_ERROR) is None
    assert next_start("https://a.de/", FetchStatus.TLS_ERROR) == "http://a.de/"
    assert next_start("https://a.de:8443/", FetchStatus.CONNECT_ERROR) is None
    assert next_start("http://a.de/", FetchStatus.CONNECT_ERROR) is None
    assert next_start("https://a.de/", FetchStatus.BLOCKED_ADDRESS) is None


def test_start_of_a_company() -> None:
    """All forms of the home page are known; credentials fall back to the domain; rubbish is an error without them."""
    company = Company(id="c7", name="A", domain="a.de", url="https://u:pw@a.de/")
    assert start_url(company) == "https://a.de/"
    assert start_urls(company) == {"https://a.de/", "http://a.de/", "https://www.a.de/", "http://www.a.de/"}
    with pytest.raises(FetchError, match="c7") as caught:
        start_url(company.model_copy(update={"domain": "u:pw@x"}))
    assert "pw" not in str(caught.value)
