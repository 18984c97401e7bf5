"""How a worker's process sets up its loop."""

from __future__ import annotations

import math

import pytest

from credit_signals.cli.working import work_options
from credit_signals.pipeline import NoObserver
from credit_signals.settings import Settings


@pytest.mark.parametrize("idle", [0.3, 1, 60, 3600])
def test_a_batch_is_renewed_twice_before_others_take_it(idle: float) -> None:
    """However short the idle time is: else each section in work would be read by several workers, and die of it."""
    options = work_options(Settings(queue_idle_seconds=idle), False, NoObserver())
    assert 2 * options.renew_seconds < idle


def test_only_a_worker_with_probes_waits_for_ever() -> None:
    """Where nobody asks whether it is ready, giving up is how it says so."""
    assert work_options(Settings(probe_port=8080), False, NoObserver()).patience_seconds == math.inf
    assert work_options(Settings(), False, NoObserver()).patience_seconds == 60
