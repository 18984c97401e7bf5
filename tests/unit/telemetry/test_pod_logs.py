"""What stands in a line of the log, and what never does."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.settings import LogFormat
from credit_signals.telemetry.logs import JsonFormatter, TextFormatter, configure_logs, without_secrets


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    """A record as a logger makes it."""
    return logging.getLogger("a.b").makeRecord("a.b", logging.WARNING, "f.py", 1, message, args, None, extra=extra)


def written(given: logging.LogRecord) -> dict[str, Any]:
    """The object of its line."""
    line = JsonFormatter().format(given)
    assert "\n" not in line
    loaded: dict[str, Any] = json.loads(line)
    return loaded


def test_a_line_is_an_object_with_its_ids() -> None:
    """Collectors find time, level, logger, message and the ids; what nobody names as an id is left out."""
    line = written(record("section %s failed", "s1", section="s1", company="c1", other="x"))
    assert datetime.fromisoformat(line.pop("time")).tzinfo == UTC
    assert line == {
        "level": "WARNING",
        "logger": "a.b",
        "message": "section s1 failed",
        "section": "s1",
        "company": "c1",
    }


@given(st.text())
def test_any_message_stays_one_line(message: str) -> None:
    """Line ends and odd characters break no line, and come back as they were."""
    assert written(record("%s", message))["message"] == without_secrets(message)


@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="/'\""), min_size=1))
def test_secrets_of_urls_are_left_out(secret: str) -> None:
    """User, password and query of a URL reach no line of either kind."""
    said = f"no answer from postgresql://ann:q{secret}q@db.example/x and https://a.example/p?key=z{secret}z twice"
    for text in (written(record(said))["message"], TextFormatter().format(record(said))):
        assert f"q{secret}q" not in text
        assert f"z{secret}z" not in text
        assert "db.example/x" in text
        assert "https://a.example/p?***" in text


def test_an_error_brings_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that nobody caught is one object, too."""
    configure_logs(LogFormat.JSON)
    error = ValueError("redis://:hidden@cache.example refused")
    sys.excepthook(ValueError, error, None)
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("CRITICAL", "ValueError")
    assert "redis://***@cache.example refused" in line["error"]


def test_requests_are_written_without_visitor_and_query(capsys: pytest.CaptureFixture[str]) -> None:
    """An access line holds method, path and status; probes that were answered are not written."""
    configure_logs(LogFormat.TEXT)
    access = logging.getLogger("uvicorn.access")
    for path, status in (("/runs/1?token=x", 200), ("/readyz", 200), ("/readyz", 503)):
        access.info('%s - "%s %s HTTP/%s" %d', "10.0.0.7:5000", "GET", path, "1.1", status)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("uvicorn.access ")[1] for line in lines] == ["GET /runs/1 200", "GET /readyz 503"]
