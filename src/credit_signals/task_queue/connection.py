"""Connecting to Redis, and its errors in the product's words. No password reaches a message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)
from redis.retry import Retry

from credit_signals.errors import ConfigurationError, QueueError, QueueUnavailable
from credit_signals.task_queue.options import QueueOptions

SCHEMES = ("redis", "rediss", "unix")
REFUSED = (AuthenticationError, AuthorizationError, NoPermissionError)
PASSING = (
    ConnectionError,
    TimeoutError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
)
PASSING_IN_SCRIPT = ("OOM ", "READONLY ", "MISCONF ", "NOREPLICAS ")  # a script's error hides the kind in its text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is, without its password."""

    shown: str
    secret: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Split a URL. Raises ConfigurationError, whose text does not repeat the URL: it may hold a password."""
        try:
            parts = urlsplit(url)
            where = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        except ValueError:
            raise ConfigurationError(
                "the Redis URL cannot be read; it looks like redis://:password@host:6379/0"
            ) from None
        if parts.scheme not in SCHEMES:
            raise ConfigurationError("the Redis URL must begin with redis://, rediss:// (TLS) or unix://")
        return cls(f"{parts.scheme}://{where}", unquote(parts.password or ""))

    def clean(self, text: str) -> str:
        """A text of the client library without the password."""
        return text.replace(self.secret, "***") if self.secret else text


def open_client(url: str, options: QueueOptions) -> Redis:
    """A client that retries with growing pauses; it connects at its first command. Raises ConfigurationError."""
    Address.of(url)
    try:
        return Redis.from_url(
            url,
            protocol=2,  # answers of one shape from Redis 6.2 on
            decode_responses=False,
            retry=Retry(NoBackoff(), 0),  # connecting and commands would retry inside each other: see `retrying`
            socket_timeout=options.timeout_seconds,
            socket_connect_timeout=min(5.0, options.timeout_seconds),
            health_check_interval=30,
        )
    except (ValueError, TypeError, RedisError):
        raise ConfigurationError("the Redis URL has a part that cannot be read (port, database or option)") from None


def retrying(call: Callable[[], T], retries: int) -> T:
    """Make a call again, with growing pauses, while the server cannot be reached; not when it refuses us."""
    again = Retry(ExponentialWithJitterBackoff(base=0.1, cap=2.0), retries, (ConnectionError, TimeoutError))
    return again.call_with_retry(call, lambda error: None, lambda error: not isinstance(error, REFUSED))


@contextmanager
def broker_errors(address: Address) -> Iterator[None]:
    """Turn Redis errors into QueueUnavailable where waiting may help, into QueueError where it will not."""
    try:
        yield
    except REFUSED as exc:
        raise QueueError(f"Redis at {address.shown} refuses us: {address.clean(str(exc))}") from exc
    except PASSING as exc:
        raise QueueUnavailable(f"Redis at {address.shown} does not answer: {address.clean(str(exc))}") from exc
    except RedisError as exc:
        if any(sign in str(exc) for sign in PASSING_IN_SCRIPT):
            raise QueueUnavailable(f"Redis at {address.shown} takes no writes: {address.clean(str(exc))}") from exc
        raise QueueError(f"Redis at {address.shown}: {address.clean(str(exc))}") from exc
