"""A reader worker's process: signals, logs, and the loop of the pipeline."""

from __future__ import annotations

import logging
import os
import signal
from types import FrameType

from credit_signals import pipeline, wiring
from credit_signals.settings import Settings

log = logging.getLogger(__name__)


def run_worker(settings: Settings, burst: bool) -> None:
    """Read until SIGTERM or SIGINT (the batch in hand is finished first), or with `burst` until the queue is empty.

    A worker whose parent was killed ends at once; other workers take what it held.

    Raises ModelRefused, QueueUnavailable, StoreUnavailable.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options = pipeline.WorkOptions(
        batch=settings.batch, burst=burst, renew_seconds=max(1.0, settings.queue_idle_seconds / 3)
    )

    parent = os.getppid()

    def stop(signum: int, _frame: FrameType | None) -> None:
        if os.getppid() != parent:  # it was killed, and a Redis of its own with it: nothing more can be acknowledged
            os._exit(128 + signum)
        log.info("signal %d: finishing the batch in hand", signum)
        options.stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with wiring.opened(settings) as parts, wiring.open_shelf(settings, parts.store) as readers:
        reader = readers.take(wiring.present_reader_id(settings, parts.store))  # a broken one is found at once
        log.info("worker ready: reader %s", reader.id)
        counts = pipeline.work(parts.queue, readers, parts.store, options)
        log.info("worker done: %s", dict(counts))
