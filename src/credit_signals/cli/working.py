"""A reader worker's process: logs, signals, probes, and the loop of the pipeline."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TypeVar

from credit_signals import pipeline, wiring
from credit_signals.cli.draining import Draining
from credit_signals.errors import StoreUnavailable
from credit_signals.settings import Settings
from credit_signals.telemetry.logs import configure_logs
from credit_signals.telemetry.worker import WorkerTelemetry

log = logging.getLogger(__name__)

T = TypeVar("T")
PATIENCE_SECONDS = 60.0


def run_worker(settings: Settings, burst: bool) -> None:
    """Read until SIGTERM or SIGINT (see Draining), or with `burst` until the queue is empty.

    With a probe port, a queue or store that does not answer is waited for as long as it takes: the worker says that it
    is not ready, and a restart would help nobody. Without one it gives up after a minute.

    Raises ConfigurationError, ModelRefused, QueueUnavailable, StoreUnavailable.
    """
    configure_logs(settings.log_format)
    telemetry = WorkerTelemetry(settings.stall_seconds, settings.look_seconds)
    options = work_options(settings, burst, telemetry)
    with Draining(options, settings.drain_seconds, telemetry.health.draining), ExitStack() as stack:
        if settings.probe_port:
            stack.enter_context(telemetry.served(settings.probe_port))
        try:
            _work(settings, options, telemetry)
        except StoreUnavailable as error:
            if not options.stop.is_set():
                raise
            log.info("stopped while waiting: %s", error)


def work_options(settings: Settings, burst: bool, observer: pipeline.WorkObserver) -> pipeline.WorkOptions:
    """How a worker of these settings works. Raises ConfigurationError."""
    return pipeline.WorkOptions(
        batch=settings.batch,
        burst=burst,
        renew_seconds=settings.queue_idle_seconds / 3,  # two renewals may fail before others take the batch
        patience_seconds=math.inf if settings.probe_port else PATIENCE_SECONDS,
        observer=observer,
        traces=wiring.open_traces(settings, "worker"),
    )


def _work(settings: Settings, options: pipeline.WorkOptions, telemetry: WorkerTelemetry) -> None:
    with ExitStack() as stack:
        store = stack.enter_context(closing(_patiently(lambda: wiring.open_store(settings), options)))
        queue = stack.enter_context(closing(wiring.open_queue(settings)))
        readers = stack.enter_context(wiring.open_shelf(settings, store, telemetry.opened))
        reader = _patiently(lambda: readers.take(wiring.present_reader_id(settings, store)), options)
        log.info("worker ready: reader %s", reader.id, extra={"reader": reader.id})  # a broken one was found at once
        if settings.probe_port:
            looking = stack.enter_context(closing(wiring.open_queue(settings, impatient=True)))
            stack.enter_context(telemetry.watching(looking, store))
        counts = pipeline.work(queue, readers, store, options)
        log.info("worker done: %s", dict(counts))


def _patiently(call: Callable[[], T], options: pipeline.WorkOptions) -> T:
    """What a call gives, once the store answers. Raises StoreUnavailable when patience is over or the worker stops."""
    patience = pipeline.Patience(options.patience_seconds, options.stop)
    while True:
        try:
            return call()
        except StoreUnavailable as error:
            options.observer.stepped()
            options.observer.failed(pipeline.Part.STORE)
            if options.burst or not patience.wait(error) or options.stop.is_set():
                raise
