"""Column types and URLs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from credit_signals.errors import ConfigurationError
from credit_signals.store import SqlStore
from credit_signals.store.base import shard_of
from credit_signals.store.column_types import AnyText, Moment
from credit_signals.store.database import read_url

DIALECT = sqlite.dialect()


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x00\x10\ud800\udfff0123456789abcdef"))))
def test_any_text_comes_back(value: str) -> None:
    """What a database cannot hold is escaped, and every text comes back as it was."""
    stored = AnyText().process_bind_param(value, DIALECT)
    assert stored is not None
    assert "\x00" not in stored
    stored.encode()
    assert AnyText().process_result_value(stored, DIALECT) == value


def test_moments_are_in_utc() -> None:
    """Any zone is stored as UTC and comes back aware."""
    moment = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    stored = Moment().process_bind_param(moment, DIALECT)
    assert stored is not None
    back = Moment().process_result_value(stored.replace(tzinfo=None), DIALECT)
    assert back == moment
    assert back.utcoffset() == timedelta(0)


def test_a_moment_without_zone_is_refused() -> None:
    """A naive moment would be read in another zone later."""
    with pytest.raises(ValueError, match="no time zone"):
        Moment().process_bind_param(datetime(2026, 3, 1), DIALECT)  # noqa: DTZ001 - the case under test


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgres_is_known(scheme: str) -> None:
    """The schemes that hosts give out all lead to psycopg 3."""
    assert read_url(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url", ["", "s3cret", "mysql://u:s3cret@h/d", "sqlite://", "sqlite:///:memory:", "postgres://u:s3cret@h:x/d"]
)
def test_a_wrong_url_is_refused_without_showing_it(url: str) -> None:
    """An unreadable or unsupported URL is a configuration error that keeps its password to itself."""
    with pytest.raises(ConfigurationError) as caught:
        SqlStore(url)
    assert "s3cret" not in str(caught.value)


@given(st.text(min_size=1), st.integers(1, 64))
def test_a_shard_is_in_range(domain: str, shards: int) -> None:
    """Every domain has one shard."""
    assert 0 <= shard_of(domain, shards) < shards


def test_shards_never_move() -> None:
    """The shard of a domain is the same in every release: a run may be resumed by a newer one."""
    assert [shard_of(domain, 8) for domain in ("acme.example", "xn--bcher-kva.example")] == [6, 4]
