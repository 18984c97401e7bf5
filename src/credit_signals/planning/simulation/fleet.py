"""Workers and nodes of a simulation: they start, read, drain, and are taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simpy import Environment, Interrupt, Process, Resource
from simpy.events import Event

from credit_signals.planning.simulation.backlog import Backlog, Piece
from credit_signals.planning.simulation.outcome import Outcome
from credit_signals.planning.simulation.scenario import Cluster, PodModel, Scenario, Services

LEAST_VARIATION = 1e-3  # below it, all batches take the same time


@dataclass(eq=False, slots=True)
class Node:
    """A machine for some pods."""

    started_at: float
    ready_at: float
    pods: list[Pod] = field(default_factory=list)
    going: bool = False  # it is taken away: no new pod starts here


@dataclass(eq=False, slots=True)
class Pod:
    """A worker. `stopping` is asked to end, `gone` has ended."""

    node: Node
    started_at: float
    stop: Event
    gone: Event
    ready: bool = False
    process: Process | None = None


class Fleet:
    """The workers that there are; what they do is a process of each."""

    def __init__(self, env: Environment, scenario: Scenario, backlog: Backlog, outcome: Outcome) -> None:
        self._env = env
        self._model: PodModel = scenario.pods
        self._cluster: Cluster = scenario.cluster
        self._services: Services = scenario.services
        self._backlog = backlog
        self._outcome = outcome
        self._chance = Random(f"fleet {scenario.seed}")  # noqa: S311  # a simulation's, not a secret's
        self._redis = Resource(env, 1)
        self._store = Resource(env, self._services.store_lanes)
        self._pods: list[Pod] = []
        self._nodes: list[Node] = []
        self.wished = 0
        self.ready = 0

    @property
    def nodes(self) -> int:
        """Machines that are paid for."""
        return len(self._nodes)

    def wish(self, count: int, at_once: bool = False) -> None:
        """Have so many workers; `at_once`: without the time that they need to start."""
        self.wished = count
        while len(self._pods) < count:
            self._start(at_once)
        for pod in self._pods[count:]:
            self._stop(pod, self._cluster.notice_seconds)

    def redis_time(self, sections: int) -> Any:
        """A process: Redis's one thread at work for some sections."""
        seconds = sections * self._services.redis_seconds / 2  # half of it when they are put, half when they are taken
        if seconds:
            with self._redis.request() as turn:
                yield turn
                yield self._env.timeout(seconds)

    def close(self) -> None:
        """Count the time of what still runs."""
        for pod in self._pods:
            self._outcome.pod_seconds += self._env.now - pod.started_at
        for node in self._nodes:
            self._outcome.node_seconds += self._env.now - node.started_at

    def _start(self, at_once: bool) -> None:
        now, most = self._env.now, self._cluster.pods_per_node
        node = next((each for each in self._nodes if not each.going and len(each.pods) < most), None)
        if node is None:
            node = Node(now, now if at_once else now + self._cluster.node_seconds)
            self._nodes.append(node)
            if self._cluster.interruptions:
                self._env.process(self._live(node))
        pod = Pod(node, now, self._env.event(), self._env.event())
        node.pods.append(pod)
        self._pods.append(pod)
        delay = 0.0 if at_once else max(0.0, node.ready_at - now) + self._cluster.pod_seconds
        pod.process = self._env.process(self._work(pod, delay))

    def _live(self, node: Node) -> Any:
        """A process: the time until a node is taken away."""
        yield self._env.timeout(self._chance.expovariate(self._cluster.interruptions / 3600))
        if node not in self._nodes:
            return
        node.going = True
        self._outcome.interruptions += 1
        sudden = self._chance.random() < self._cluster.without_notice
        for pod in list(node.pods):
            self._stop(pod, 0.0 if sudden else self._cluster.notice_seconds)
        self.wish(self.wished)  # the Deployment replaces them elsewhere

    def _stop(self, pod: Pod, seconds: float) -> None:
        self._pods.remove(pod)
        if not pod.stop.triggered:
            pod.stop.succeed()
        if seconds == 0 and pod.process is not None and pod.process.is_alive:
            pod.process.interrupt()
        else:
            self._env.process(self._end_after(pod, seconds))

    def _end_after(self, pod: Pod, seconds: float) -> Any:
        """A process: the grace of a worker that was asked to end."""
        yield pod.gone | self._env.timeout(seconds)
        if pod.process is not None and pod.process.is_alive:
            pod.process.interrupt()

    def _work(self, pod: Pod, delay: float) -> Any:
        """A process: a worker from its start to its end."""
        held: list[Piece] = []
        try:
            yield self._env.timeout(delay) | pod.stop
            if not pod.stop.triggered:
                pod.ready = True
                self.ready += 1
                self._outcome.peak_workers = max(self._outcome.peak_workers, self.ready)
            while not pod.stop.triggered:
                held = self._backlog.take(self._model.batch)
                if not held:
                    yield self._backlog.arrived | pod.stop
                    continue
                yield from self._read(held)
                held = []
        except Interrupt:
            if held:
                self._env.process(self._backlog.lose(held))
        self._leave(pod)  # no `finally`: a generator that is thrown away after the end must count nothing

    def _read(self, held: Sequence[Piece]) -> Any:
        taken_at, sections = self._env.now, sum(piece.sections for piece in held)
        yield from self.redis_time(sections)
        seconds = self._draw(self._model.batch_seconds + sections * self._model.section_seconds)
        yield self._env.timeout(seconds)
        self._outcome.busy_seconds += seconds
        if self._services.store_seconds:
            with self._store.request() as turn:
                yield turn
                yield self._env.timeout(sections * self._services.store_seconds)
        self._backlog.finish(held, taken_at)

    def _draw(self, mean: float) -> float:
        variation = self._model.variation
        if variation < LEAST_VARIATION:
            return mean
        return self._chance.gammavariate(variation**-2, mean * variation**2)

    def _leave(self, pod: Pod) -> None:
        if pod.ready:
            self.ready -= 1
        self._outcome.pod_seconds += self._env.now - pod.started_at
        node = pod.node
        node.pods.remove(pod)
        if not node.pods and node in self._nodes:
            self._nodes.remove(node)
            self._outcome.node_seconds += self._env.now - node.started_at
        if not pod.gone.triggered:
            pod.gone.succeed()
