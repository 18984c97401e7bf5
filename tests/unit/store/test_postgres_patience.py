"""How long a Postgres that has vanished is waited for."""

from __future__ import annotations

from credit_signals.store.database import Database


def test_a_server_that_vanishes_ends_a_call_in_time() -> None:
    """No call waits for TCP's own quarter of an hour, and what the URL says wins."""
    given = Database("postgresql://ann@db.example/results?tcp_user_timeout=5000&sslmode=require").engine().url.query
    assert given["tcp_user_timeout"] == "5000"
    assert given["sslmode"] == "require"
    assert int(str(given["connect_timeout"])) <= 10
    silent = int(str(given["keepalives_idle"])) + int(str(given["keepalives_interval"])) * int(
        str(given["keepalives_count"])
    )
    assert silent <= 60
    usual = Database("postgresql://ann@db.example/results").engine().url.query
    assert int(str(usual["tcp_user_timeout"])) <= 60_000
