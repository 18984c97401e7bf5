"""What one look at a run does to the number of its workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pipeline_world import MILL, World, section

from credit_signals import pipeline
from credit_signals.domain import Section, now
from credit_signals.errors import ScalingRefused
from credit_signals.scaling import MemoryDeployment, SizingRule
from credit_signals.store.base import RunProgress

HOUR = pipeline.ReadingTime(3600.0, now() - timedelta(days=1))
LATE = pipeline.ReadingTime(-1.0, now() - timedelta(days=1))
RULE = SizingRule(floor=1, ceiling=8, start_seconds=0)


def _sections(count: int) -> list[Section]:
    return [section(f"/{number}", f"Sentence {number}.") for number in range(count)]


def _scaler(world: World, run: str, deployment: MemoryDeployment, seconds: float = 60.0) -> pipeline.WorkerScaler:
    tools = pipeline.ScaleTools(world.store, world.queue, deployment, RULE)
    return pipeline.WorkerScaler(run, tools, seconds)


def test_workers_come_with_the_backlog_and_go_when_it_is_read(world: World) -> None:
    """Up at once to what the deadline asks for, down to the floor when nothing waits."""
    run, deployment = world.crawled(*_sections(100)), MemoryDeployment()
    scaler = _scaler(world, run.id, deployment)
    seen = scaler.look(HOUR)
    assert (seen.backlog, seen.replicas, seen.unread) == (100, 3, 100)  # 100 x 60 s x 1.25 in an hour
    world.work()
    seen = scaler.look(HOUR)
    assert (seen.backlog, seen.replicas, seen.unread) == (0, 1, 0)
    assert deployment.history == [3, 1]


def test_a_number_that_is_right_is_not_wished_for_again(world: World) -> None:
    """A look that changes nothing sends nothing to the cluster."""
    run, deployment = world.crawled(*_sections(100)), MemoryDeployment(wished=3)
    _scaler(world, run.id, deployment).look(HOUR)
    assert deployment.history == []


def test_one_worker_stays_while_sites_are_crawled(world: World) -> None:
    """A queue that is empty for a moment does not end the last worker."""
    run = pipeline.open_run(world.store, pipeline.RunRequest([MILL]))
    deployment = MemoryDeployment(wished=4)
    tools = pipeline.ScaleTools(world.store, world.queue, deployment, SizingRule(floor=0, ceiling=8))
    seen = pipeline.WorkerScaler(run.id, tools, 1.0).look(HOUR)
    assert (seen.crawled, seen.replicas) == (False, 1)
    assert pipeline.WorkerScaler(run.id, tools, 1.0).look(HOUR, over=True).replicas == 0


def test_the_work_of_another_run_keeps_its_workers(world: World) -> None:
    """A run that is read takes no worker from what another one still waits for."""
    done = world.crawled(*_sections(1))
    world.work()
    world.crawled(*_sections(100))
    deployment = MemoryDeployment(wished=6)
    seen = _scaler(world, done.id, deployment).look(HOUR)
    assert seen.unread == 0
    assert deployment.wished == 3  # the need of the 99 new sections


def test_a_run_that_is_over_adds_no_worker(world: World) -> None:
    """After the deadline nobody would take away what the rule would still add."""
    run, deployment = world.crawled(*_sections(100)), MemoryDeployment(wished=2)
    scaler = _scaler(world, run.id, deployment)
    assert scaler.look(LATE, over=True).replicas == 2
    assert scaler.look(LATE).replicas == 8


def test_what_something_else_scales_is_left_to_it(world: World) -> None:
    """KEDA may take a Deployment over while a run goes on: from then on no wish is sent."""
    run, deployment = world.crawled(*_sections(100)), MemoryDeployment(owned_by="KEDA's ScaledObject by-lag")
    with pytest.raises(ScalingRefused, match="memory/workers is scaled by KEDA's ScaledObject by-lag"):
        _scaler(world, run.id, deployment).look(HOUR)
    assert deployment.history == []


def test_the_time_of_a_section_is_measured(world: World) -> None:
    """Sections answered between two looks, while others wait, tell how long one takes."""
    run = world.crawled(*_sections(100))
    tools = pipeline.ScaleTools(world.store, world.queue, MemoryDeployment(), RULE)
    scaler = pipeline.WorkerScaler(run.id, tools, 0.001, clock=iter([0.0, 100.0]).__next__)
    held = world.queue.take(1, 0.1)  # a worker that is known to the queue
    assert scaler.look(HOUR).service_seconds == pytest.approx(0.001)
    for _ in range(40):
        held += world.queue.take(1, 0.1)
    world.store.save_predictions(world.reader.read([each.task.section for each in held[:40]]))
    world.queue.ack(held[:40])
    seen = scaler.look(HOUR)
    assert (seen.unread, seen.backlog) == (60, 60)
    assert seen.service_seconds == pytest.approx(100 / (40 + 35), rel=0.01)  # the guess counts for 35 sections by now


def test_the_time_of_readers_begins_when_all_is_crawled() -> None:
    """A long crawl costs the readers nothing; a task that is cleared a day later has its time again."""
    moment = now()
    crawling = RunProgress(companies=2, crawled=1, tasks=5, read=0, dead=0, last_crawl=moment - timedelta(hours=30))
    crawled = RunProgress(companies=2, crawled=2, tasks=5, read=0, dead=0, last_crawl=moment - timedelta(hours=3))
    time = pipeline.ReadingTime(24 * 3600, moment - timedelta(days=2))
    assert time.left(crawling) == 24 * 3600
    assert time.left(crawled) == pytest.approx(21 * 3600, abs=60)
    assert pipeline.ReadingTime(24 * 3600, moment).left(crawled) == pytest.approx(24 * 3600, abs=60)
