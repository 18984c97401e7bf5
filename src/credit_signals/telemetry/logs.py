"""Logs of a process: lines for people, or one JSON object per line for a collector.

Either way: no page text (nothing logs it), no visitor's address, and no secret that a URL may hold.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType

from credit_signals.settings import LogFormat

FIELDS = ("run", "company", "section", "task", "reader")  # ids, given as `extra`
ACCESS = "uvicorn.access"
_USER = re.compile(r"(?<=://)[^/\s]+(?=@)")  # to the last @: passwords hold some that nobody encoded
_QUERY = re.compile(r"((?:https?|wss?|postgresql|rediss?)://[^\s?'\"]*)\?[^\s'\"]+")


def without_secrets(text: str) -> str:
    """A text whose URLs hold neither user and password nor a query."""
    return _QUERY.sub(r"\1?***", _USER.sub("***", text))


class TextFormatter(logging.Formatter):
    """`time level logger message`, UTC or local as the machine is set."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, and those of a traceback."""
        return without_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object per line: time (UTC, ISO 8601), level, logger, message, the ids that apply, and an error's trace."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        line |= {name: str(record.__dict__[name]) for name in FIELDS if name in record.__dict__}
        if record.exc_info:
            line["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class _AccessLines(logging.Filter):
    """Method, path and status of a request: no visitor's address, no query, and no probe that was answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        match record.args:
            case (_, str(method), str(target), _, int(status)):
                path = target.partition("?")[0]
                record.msg, record.args = "%s %s %d", (method, path, status)
                return path not in {"/healthz", "/readyz"} or status >= 400  # noqa: PLR2004  HTTP's errors
        return True


def configure_logs(form: LogFormat) -> None:
    """Write this process's logs to stderr from now on; with JSON, its uncaught errors too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema
    logging.getLogger(ACCESS).filters = [_AccessLines()]
    if form is LogFormat.JSON:
        sys.excepthook = _log_uncaught
        threading.excepthook = _log_uncaught_in_thread


def logs_are_json() -> bool:
    """Whether this process was told to write JSON."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("uncaught").critical("%s", kind.__name__, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    name = caught.thread.name if caught.thread else "?"
    error = caught.exc_value or caught.exc_type()
    logging.getLogger("uncaught").critical("thread %s", name, exc_info=(type(error), error, caught.exc_traceback))
