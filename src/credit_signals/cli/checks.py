"""`credit-signals doctor`: is everything there, and what to do if not."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable

from credit_signals import wiring
from credit_signals.cli.show import say
from credit_signals.errors import CreditSignalsError
from credit_signals.inference.llama import processor
from credit_signals.settings import Settings


def run_checks(settings: Settings) -> bool:
    """Print a line per part, with what to do where one is amiss. True when all that is configured works."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("store", _store),
        ("redis", _redis),
        ("reader", _reader),
        ("promoted", _promoted),
        ("processor", _processor),
        ("weights", _weights),
        ("airflow", _airflow),
    ]
    healthy = True
    for name, check in checks:
        try:
            mark, finding, style = "ok  ", check(settings), "green"
        except CreditSignalsError as error:
            mark, finding, style, healthy = "FAIL", str(error), "red", False
        say(f"{mark} {name}: {finding}", style=style)
    return healthy


def show_settings(settings: Settings) -> None:
    """Print every variable with its present value; secrets are masked."""
    values = settings.model_dump(mode="json", exclude_none=True)
    for name, field in Settings.model_fields.items():
        value = values.get(name, "")
        say(f"CREDIT_SIGNALS_{name.upper()}={json.dumps(value) if isinstance(value, dict) else value}")
        say(f"    {field.description}", style="dim")


def _store(settings: Settings) -> str:
    store = wiring.open_store(settings)
    latest = store.latest_run()
    store.close()
    return f"schema up to date, latest run: {latest.id if latest else 'none yet'}"


def _redis(settings: Settings) -> str:
    if not settings.redis_url.get_secret_value():
        with wiring.with_redis(settings) as own:
            return f"none set; `run` uses an embedded one ({_redis(own)})"
    queue = wiring.open_queue(settings)
    status = queue.status()
    queue.close()
    return f"answers, {status.length} entries, {status.dead} dead letters"


def _reader(settings: Settings) -> str:
    reader = wiring.open_configured_reader(settings)
    reader.close()
    return f"{settings.reader_manifest}: {reader.id}"


def _promoted(settings: Settings) -> str:
    reader = wiring.open_promoted_reader(settings)
    if reader is None:
        return "none, so the one above reads; `credit-signals readers` promotes another"
    reader.close()
    return f"{reader.id} reads new runs; `credit-signals readers show` tells why"


def _processor(_settings: Settings) -> str:
    return f"llama.cpp computes with {processor()}"


def _weights(settings: Settings) -> str:
    return f"version {wiring.open_weights(settings).version}"


def _airflow(_settings: Settings) -> str:
    if importlib.util.find_spec("airflow") is None:
        return "not installed; `./run demo` installs it, `credit-signals run` works without it"
    return "installed"
