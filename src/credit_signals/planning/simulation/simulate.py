"""Running a scenario with simpy."""

from __future__ import annotations

from typing import Any

from simpy import Environment
from simpy.events import Event

from credit_signals.planning.simulation.backlog import Backlog
from credit_signals.planning.simulation.fleet import Fleet
from credit_signals.planning.simulation.outcome import Outcome, Sample
from credit_signals.planning.simulation.scenario import Scenario
from credit_signals.scaling.sizing import Demand, choose_replicas


def simulate(scenario: Scenario) -> Outcome:
    """Let a scenario happen; the same scenario happens the same way each time.

    It ends when every section is answered or dead, or at the horizon: what then still waits is `Outcome.backlog`.
    """
    return _Run(scenario).run()


class _Run:
    """One simulation's processes: crawl, scaling, samples, end."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._env = Environment()
        self._outcome = Outcome()
        self._backlog = Backlog(self._env, scenario.services, self._outcome)
        self._fleet = Fleet(self._env, scenario, self._backlog, self._outcome)
        self._crawled: Event = self._env.event()
        self._crawled_at = 0.0

    def run(self) -> Outcome:
        cluster = self._scenario.cluster
        self._fleet.wish(cluster.workers, at_once=True)
        self._env.process(self._crawl())
        if cluster.rule is not None:
            self._env.process(self._scale())
        self._env.process(self._sample())
        done: Event = self._env.process(self._wait_until_read())
        if self._scenario.horizon < float("inf"):
            done = done | self._env.timeout(self._scenario.horizon)
        self._env.run(until=done)
        self._backlog.close()
        self._fleet.close()
        self._outcome.ended = self._env.now
        self._take_sample()
        return self._outcome

    def _crawl(self) -> Any:
        """Arrivals in their time; a crawl that had to wait for room is so much later with all that follows."""
        env, outcome = self._env, self._outcome
        for arrival in self._scenario.arrivals:
            due = arrival.at + outcome.crawl_waited
            if due > env.now:
                yield env.timeout(due - env.now)
            left = arrival.sections
            while left:
                room = self._backlog.room
                if not room:
                    since = env.now
                    yield self._backlog.left
                    outcome.crawl_waited += env.now - since
                    continue
                now = min(left, room)
                yield from self._fleet.redis_time(now)
                self._backlog.put(now)
                outcome.offered += now
                left -= now
            outcome.last_arrival = env.now
        self._crawled_at = env.now
        self._crawled.succeed()

    def _scale(self) -> Any:
        cluster = self._scenario.cluster
        while cluster.rule is not None:
            since_crawled = self._env.now - self._crawled_at if self._crawled.triggered else 0.0
            demand = Demand(
                backlog=self._outcome.backlog,
                service_seconds=self._scenario.pods.mean_section_seconds,
                seconds_left=cluster.answer_within - since_crawled,
                replicas=self._fleet.wished,
                more_to_come=not self._crawled.triggered,
                full_at=self._scenario.services.queue_length,
            )
            self._fleet.wish(choose_replicas(cluster.rule, demand))
            yield self._env.timeout(cluster.look_seconds)

    def _sample(self) -> Any:
        while True:
            self._take_sample()
            yield self._env.timeout(self._scenario.sample_seconds)

    def _take_sample(self) -> None:
        fleet = self._fleet
        self._outcome.samples.append(
            Sample(self._env.now, self._outcome.backlog, fleet.ready, fleet.wished, fleet.nodes)
        )

    def _wait_until_read(self) -> Any:
        yield self._crawled
        while self._outcome.backlog:
            yield self._backlog.left
