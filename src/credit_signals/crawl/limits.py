"""The limits of every request, and what a crawl remembers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from credit_signals.domain import DEFAULT_USER_AGENT, Fetch
from credit_signals.errors import ConfigurationError

CONNECT_TARGET = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s\[\]:]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits of a request. Times in seconds, sizes in decoded bytes.

    `connect_to` says where to connect instead, by host name or `*` (like curl's --connect-to): `{"*": "127.0.0.1:80"}`.
    It changes the address, not the check of it: loopback still needs `allow_private_network`. Raises
    ConfigurationError for a target without a port.
    """

    user_agent: str = DEFAULT_USER_AGENT
    connect_seconds: float = 10.0
    read_seconds: float = 15.0  # between two pieces of a response
    total_seconds: float = 30.0  # one attempt, connection included
    max_bytes: int = 5_000_000
    max_redirects: int = 5
    attempts: int = 3
    backoff_seconds: float = 0.5  # doubles with each attempt
    max_retry_after: float = 60.0  # a longer Retry-After is not waited for
    min_delay: float = 0.2  # between two requests to one host
    max_crawl_delay: float = 10.0  # a longer Crawl-delay of robots.txt is cut to this
    allow_private_network: bool = False
    connect_to: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for host, target in self.connect_to.items():
            if not CONNECT_TARGET.fullmatch(target):
                raise ConfigurationError(f"connect_to for {host!r}: {target!r} is not an address with a port")

    @property
    def robots_token(self) -> str:
        """The product token that robots.txt groups are matched with (RFC 9309, 2.2.1)."""
        return self.user_agent.split("/", 1)[0].split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class CrawlMemory:
    """What is known before a crawl starts.

    `done`: outcomes that this run has recorded already; they are given again, not fetched again. `archived`: the last
    archived answer of each URL from earlier runs, for conditional requests (RFC 9110, 13).
    """

    done: Sequence[Fetch] = ()
    archived: Mapping[str, Fetch] = field(default_factory=dict)
