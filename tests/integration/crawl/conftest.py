"""The misbehaving server and a fetcher that reaches it under any name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bad_server import BadServer

from credit_signals.crawl import Fetcher, FetchLimits, WarcArchive
from credit_signals.domain import Budget, Company


@pytest.fixture
async def server() -> AsyncIterator[BadServer]:
    """A server without routes: every path is 404."""
    bad = BadServer()
    listener = await asyncio.start_server(bad.serve, "127.0.0.1", 0)
    bad.port = listener.sockets[0].getsockname()[1]
    yield bad
    listener.close()


@pytest.fixture
def limits(server: BadServer) -> FetchLimits:
    """Every host leads to the server; no politeness, short patience."""
    return FetchLimits(
        connect_to={"*": f"127.0.0.1:{server.port}"},
        allow_private_network=True,
        min_delay=0,
        backoff_seconds=0.01,
        read_seconds=5,
        total_seconds=5,
    )


@pytest.fixture
def archive(tmp_path: Path) -> WarcArchive:
    """An archive in a fresh folder."""
    return WarcArchive(tmp_path / "warc", "test")


@pytest.fixture
async def fetcher(limits: FetchLimits, archive: WarcArchive) -> AsyncIterator[Fetcher]:
    """An open fetcher that reaches the server under any name."""
    async with Fetcher(limits, archive) as opened:
        yield opened


@pytest.fixture
def company() -> Company:
    """A company with a plain http site."""
    return Company(id="c1", name="Acme", domain="acme.example", url="http://acme.example/")


@pytest.fixture
def budget() -> Budget:
    """Room enough for every test."""
    return Budget(seconds=30)
