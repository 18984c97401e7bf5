"""Rule and measurement together, over a run whose pods start late and whose sections take longer than was guessed."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.scaling import Demand, Look, Pace, SizingRule, choose_replicas

LOOK, START = 30.0, 60.0  # seconds between two looks, and from a wish to a pod that reads


@dataclass
class Run:
    """A backlog that pods read, `real` seconds for a section; `wishes` holds moment and number of each change."""

    backlog: float
    real: float
    hours: float
    clock: float = 0.0
    answered: float = 0.0
    wishes: list[tuple[float, int]] = field(default_factory=lambda: [(-START, 1)])

    @property
    def wished(self) -> int:
        """Pods asked for last."""
        return self.wishes[-1][1]

    @property
    def ready(self) -> int:
        """Pods that read: started long enough ago, and not taken back since."""
        lasting = [count for moment, count in self.wishes if moment <= self.clock - START][-1]
        return min(lasting, *(count for moment, count in self.wishes if moment > self.clock - START), lasting)

    def follow(self, rule: SizingRule, guess: float) -> None:
        """Look, wish and read until nothing waits or twice the time is over."""
        pace = Pace(guess)
        while self.backlog >= 1 and self.clock < self.hours * 7200:
            pace.see(Look(self.clock, int(self.answered), self.ready, busy=True))
            left = self.hours * 3600 - self.clock
            chosen = choose_replicas(rule, Demand(int(self.backlog), pace.service_seconds, left, self.wished))
            if chosen != self.wished:
                self.wishes.append((self.clock, chosen))
            read = min(self.backlog, self.ready * LOOK / self.real)
            self.backlog, self.answered, self.clock = self.backlog - read, self.answered + read, self.clock + LOOK


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 2_000_000), st.floats(0.05, 3), st.floats(1, 8))
def test_a_wrong_guess_costs_no_deadline(backlog: int, real: float, hours: float) -> None:
    """Sections may take a third or twenty times the guess: the run is in time, and its pods change a few times only."""
    rule = SizingRule(floor=1, ceiling=10_000, start_seconds=START)
    run = Run(backlog, real, hours)
    run.follow(rule, guess=0.15)
    assert run.clock <= hours * 3600
    assert len(run.wishes) <= 40


@settings(deadline=None, max_examples=40)
@given(st.integers(1000, 2_000_000), st.floats(0.05, 3), st.floats(1, 8))
def test_a_right_guess_wastes_no_pods(backlog: int, real: float, hours: float) -> None:
    """Known work is sized once: no more pods than work, margin and slack ask for, and no swinging."""
    rule = SizingRule(floor=1, ceiling=10_000, start_seconds=START)
    run = Run(backlog, real, hours)
    run.follow(rule, guess=real)
    needed = backlog * real * (1 + rule.margin) / (hours * 3600 - START)
    assert max(count for _, count in run.wishes) <= max(2, needed * 1.1 + 1)
