"""Alive, ready, and what is amiss."""

from __future__ import annotations

from credit_signals.pipeline import Part
from credit_signals.telemetry.health import LATELY_SECONDS, WorkerHealth


class Clock:
    """A clock that stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def ready(clock: Clock) -> WorkerHealth:
    """A worker that lacks nothing."""
    health = WorkerHealth(300, clock)
    health.loaded()
    health.answered(Part.QUEUE)
    health.answered(Part.STORE)
    return health


def test_a_worker_is_ready_when_nothing_is_missing() -> None:
    """Each condition is named until it is met."""
    clock = Clock()
    health = WorkerHealth(300, clock)
    missing = ["reader: not loaded yet", "queue: has not answered yet", "store: has not answered yet"]
    assert health.not_ready() == missing
    assert ready(clock).not_ready() == health.not_alive() == []


def test_a_part_that_fails_is_named_until_it_answers() -> None:
    """One failure is enough, and one answer heals it; the worker stays alive."""
    health = ready(Clock())
    health.failed(Part.QUEUE)
    assert health.not_ready() == ["queue: does not answer"]
    assert health.not_alive() == []
    health.answered(Part.QUEUE)
    assert health.not_ready() == []


def test_an_old_answer_says_nothing_about_now() -> None:
    """Silence, too, makes a worker not ready."""
    clock = Clock()
    health = ready(clock)
    clock.now += LATELY_SECONDS + 1
    health.answered(Part.STORE)
    assert health.not_ready() == ["queue: no answer for 61 s"]


def test_a_failing_reader_is_no_reason_to_stand_aside() -> None:
    """A section that cannot be read is that section's matter."""
    health = ready(Clock())
    health.failed(Part.READER)
    assert health.not_ready() == []


def test_a_loop_that_stands_still_is_dead() -> None:
    """Only the loop's own steps keep a worker alive."""
    clock = Clock()
    health = ready(clock)
    clock.now += 301
    health.answered(Part.QUEUE)
    health.answered(Part.STORE)
    assert health.not_alive() == health.not_ready() == ["loop: no step for 301 s"]
    health.stepped()
    assert health.not_alive() == []


def test_a_draining_worker_is_alive_and_not_ready() -> None:
    """Nothing more is sent to it, and nobody restarts it."""
    health = ready(Clock())
    health.draining()
    assert health.not_ready() == ["draining"]
    assert health.not_alive() == []
