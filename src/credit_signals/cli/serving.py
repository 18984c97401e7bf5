"""The doors of pods that read no sections: the results page, and the migration of the store."""

from __future__ import annotations

import logging

from credit_signals import settings, wiring
from credit_signals.cli.show import say
from credit_signals.settings import LogFormat, Settings
from credit_signals.telemetry.logs import configure_logs

log = logging.getLogger(__name__)


def serve(host: str, port: int) -> None:
    """Serve the results page until stopped."""
    import uvicorn  # noqa: PLC0415  the migration needs no page

    from credit_signals.web import create_app  # noqa: PLC0415

    chosen = settings.load()
    configure_logs(chosen.log_format)
    store = wiring.open_store(chosen)
    _tell(chosen, f"results: http://{host}:{port}/ (Ctrl-C ends)")
    uvicorn.run(create_app(store), host=host, port=port, log_config=None, log_level="info")
    store.close()


def migrate() -> None:
    """Bring the store's schema up to date, and say from which revision to which."""
    chosen = settings.load()
    configure_logs(chosen.log_format)
    change = wiring.migrate_store(chosen)
    if change.before == change.after:
        _tell(chosen, f"schema {change.after}: nothing to do")
    else:
        _tell(chosen, f"schema {change.before or '(none)'} -> {change.after}")


def _tell(chosen: Settings, line: str) -> None:
    """A line for people; in JSON, for those who collect logs."""
    if chosen.log_format is LogFormat.JSON:
        log.info(line)
    else:
        say(line)
