"""Queues of every kind for the tests of this folder: in memory, on Redis 6.2 and on Redis 7 or later."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from queue_brokers import BROKERS, Broker, redis_binary

from credit_signals.task_queue import EmbeddedRedis


@pytest.fixture(scope="session")
def redis_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Starts each kind of Redis at most once; gives its URL."""
    running: dict[str, EmbeddedRedis] = {}

    def url(name: str) -> str:
        if name not in running:
            running[name] = EmbeddedRedis(tmp_path_factory.mktemp(name), redis_binary(name)).__enter__()
        return running[name].url

    yield url
    for server in running.values():
        server.__exit__(None, None, None)


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, redis_urls: Callable[[str], str]) -> Iterator[Broker]:
    """An empty queue, on each broker in turn."""
    made = Broker("" if request.param == "memory" else redis_urls(request.param))
    yield made
    for queue in made.opened:
        queue.close()


@pytest.fixture(params=BROKERS[1:])
def redis_broker(request: pytest.FixtureRequest, redis_urls: Callable[[str], str]) -> Iterator[Broker]:
    """An empty queue, on each Redis in turn."""
    made = Broker(redis_urls(request.param))
    yield made
    for queue in made.opened:
        queue.close()
