"""The queue of a simulation: bounded, first come first served, what a dead worker held comes again before the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from simpy import Environment
from simpy.events import Event

from credit_signals.planning.simulation.outcome import Outcome, Span
from credit_signals.planning.simulation.scenario import Services


@dataclass(frozen=True, slots=True)
class Piece:
    """Sections put at one moment, delivered so often."""

    sections: int
    put_at: float
    attempts: int = 0


class Backlog:
    """Sections that wait or are in work, as a Redis stream holds them until they are acknowledged."""

    def __init__(self, env: Environment, services: Services, outcome: Outcome) -> None:
        self._env = env
        self._services = services
        self._outcome = outcome
        self._waiting: deque[Piece] = deque()
        self._counted_at = 0.0
        self.arrived: Event = env.event()
        self.left: Event = env.event()

    @property
    def room(self) -> int:
        """Sections that may be put now."""
        return max(0, self._services.queue_length - self._outcome.backlog)

    def put(self, sections: int) -> None:
        """Append sections; who puts more than there is room for has not looked."""
        self._change(sections)
        self._waiting.append(Piece(sections, self._env.now))
        self._wake_workers()

    def take(self, most: int) -> list[Piece]:
        """Up to `most` sections, in work from now on."""
        taken: list[Piece] = []
        while self._waiting and most > 0:
            piece = self._waiting.popleft()
            if piece.sections > most:
                self._waiting.appendleft(replace(piece, sections=piece.sections - most))
                piece = replace(piece, sections=most)
            most -= piece.sections
            taken.append(replace(piece, attempts=piece.attempts + 1))
        return taken

    def finish(self, pieces: Sequence[Piece], taken_at: float) -> None:
        """Acknowledge what was read."""
        for piece in pieces:
            self._outcome.spans.append(Span(piece.sections, taken_at - piece.put_at, self._env.now - piece.put_at))
            self._outcome.answered += piece.sections
            self._change(-piece.sections)
        self._wake_crawl()

    def lose(self, pieces: Sequence[Piece]) -> Any:
        """A process: what a dead worker held is delivered again after the idle time, or is dead."""
        yield self._env.timeout(self._services.idle_seconds)
        again = [piece for piece in pieces if piece.attempts < self._services.attempts]
        for piece in pieces:
            if piece.attempts >= self._services.attempts:
                self._outcome.dead += piece.sections
                self._change(-piece.sections)
        self._outcome.redelivered += sum(piece.sections for piece in again)
        self._return(again)
        self._wake_crawl()

    def close(self) -> None:
        """Count up to now."""
        self._change(0)

    def _return(self, pieces: Sequence[Piece]) -> None:
        self._waiting.extendleft(reversed(pieces))
        self._wake_workers()

    def _change(self, sections: int) -> None:
        outcome = self._outcome
        outcome.backlog_area += outcome.backlog * (self._env.now - self._counted_at)
        self._counted_at = self._env.now
        outcome.backlog += sections
        outcome.peak_backlog = max(outcome.peak_backlog, outcome.backlog)

    def _wake_workers(self) -> None:
        self.arrived.succeed()
        self.arrived = self._env.event()

    def _wake_crawl(self) -> None:
        self.left.succeed()
        self.left = self._env.event()
