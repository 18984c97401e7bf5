"""What integration tests share: a private Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from private_postgres import postgres_folder, private_postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A Postgres server of this session on loopback, without password; skips where none is installed."""
    binaries = postgres_folder()
    if binaries is None:
        pytest.skip("no Postgres binaries (initdb, postgres) on this machine")
    with private_postgres(binaries) as url:
        yield url
