"""Scaling as DAG and command line do it: a real Redis, a real store, and the Kubernetes API over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.scaling.scaled_cluster import NAME, NO_ANSWER, PATCH, PLACE, Cluster
from tests.unit.pipeline.pipeline_world import World, section
from typer.testing import CliRunner

from credit_signals import steps, wiring
from credit_signals.cli.commands import app
from credit_signals.errors import ScalingRefused
from credit_signals.settings import Settings


@pytest.fixture
def world(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One company on a store and a queue of its own, and an environment that leads to them and to the cluster."""
    chosen = Settings(
        data_dir=tmp_path / "data",
        scale_deployment=PLACE,
        scale_kubeconfig=str(cluster.kubeconfig),
        scale_ceiling=8,
        scale_service_seconds=60.0,
    )
    with wiring.with_redis(chosen) as chosen, wiring.opened(chosen) as parts:
        for name, value in chosen.as_environment().items():
            monkeypatch.setenv(name, value)
        yield World(tmp_path, parts.store, parts.queue)  # type: ignore[arg-type]  # both stand for their protocol


def test_a_run_is_scaled_up_and_down_again(world: World, cluster: Cluster) -> None:
    """From the backlog to more pods, and back to the floor when all of it is read."""
    run = world.crawled(*(section(f"/{number}", f"Sentence {number}.") for number in range(100)))
    assert steps.why_not_scaled() == ""
    scaling = steps.WorkerScaling(run.id, hours=1, since=0)
    try:
        seen = scaling.look()
        assert (seen["backlog"], seen["replicas"], seen["crawled"], seen["unread"]) == (100, 3, True, 100)
        assert seen["line"].startswith("1 -> 3: 100 sections x 60 s in ")
        assert cluster.replicas == 3
        world.work()
        assert scaling.look()["unread"] == 0
        assert cluster.replicas == 1
    finally:
        scaling.close()


@pytest.mark.parametrize("status", [403, 404, 409, 410, 500, NO_ANSWER])
def test_a_look_that_fails_says_so_and_the_next_one_works(
    world: World, cluster: Cluster, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the cluster answers, the run goes on, and is scaled as soon as the cluster allows."""
    run = world.crawled(*(section(f"/{number}", f"Sentence {number}.") for number in range(100)))
    cluster.fail(PATCH, status)
    scaling = steps.WorkerScaling(run.id, hours=1, since=0)
    try:
        with monkeypatch.context() as patched:
            if status == NO_ANSWER:
                patched.setattr("credit_signals.scaling.deployment.ANSWER_SECONDS", 1.0)
            assert PLACE in scaling.look()["trouble"]
        assert cluster.replicas == 1
        cluster.fail(PATCH, [])
        assert scaling.look()["replicas"] == cluster.replicas == 3
    finally:
        scaling.close()


def test_a_queue_that_is_gone_changes_no_pod(world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a backlog to look at, nothing is asked of the cluster."""
    run = world.crawled(section("/a", "A sentence."))
    monkeypatch.setenv("CREDIT_SIGNALS_REDIS_URL", "redis://127.0.0.1:1")
    scaling = steps.WorkerScaling(run.id, hours=1, since=0)
    try:
        assert "127.0.0.1:1" in scaling.look()["trouble"]
    finally:
        scaling.close()
    assert cluster.asked == []


def test_why_a_run_is_not_scaled_is_said(world: World, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another owner, a Role that forbids, a wrong name, bounds without sense, no cluster: each with its reason."""
    cluster.fail("list scaledobjects", [403])
    assert "grant the verb list" in steps.why_not_scaled()
    cluster.add_scaled_object({"name": NAME})
    assert steps.why_not_scaled() == f"{PLACE} is scaled by KEDA's ScaledObject by-lag"
    cluster.fail("get deployments/scale", [503])
    assert steps.why_not_scaled() == "", "it may answer later"
    monkeypatch.setenv("CREDIT_SIGNALS_SCALE_DEPLOYMENT", "signals/other")
    assert "signals/other: get deployments/scale: 404" in steps.why_not_scaled()
    monkeypatch.setenv("CREDIT_SIGNALS_SCALE_FLOOR", "9")
    assert "floor" in steps.why_not_scaled()
    monkeypatch.setenv("CREDIT_SIGNALS_SCALE_DEPLOYMENT", "")
    monkeypatch.setenv("CREDIT_SIGNALS_SCALE_FLOOR", "1")
    assert "no cluster is configured" in steps.why_not_scaled()


def test_idle_workers_are_released(world: World, cluster: Cluster) -> None:
    """Pods of a run that ended with work left go when it is read, not before, and never where something else scales."""
    world.crawled(section("/a", "A sentence."))
    cluster.add_deployment(5)
    assert steps.release_workers() == f"{PLACE}: 5 stay, 1 sections wait"
    world.work()
    assert steps.release_workers() == f"{PLACE}: 5 -> 1, no section waits"
    assert steps.release_workers() == f"{PLACE}: 1 stay, 0 sections wait"
    cluster.add_autoscaler(NAME)
    assert "HorizontalPodAutoscaler by-backlog" in steps.release_workers()
    assert cluster.wishes == [1]


def test_the_command_shows_what_the_rule_would_do(world: World, cluster: Cluster) -> None:
    """An operator sees pods, owner, backlog and the choice with its reason, and nothing is changed."""
    world.crawled(*(section(f"/{number}", f"Sentence {number}.") for number in range(100)))
    done = CliRunner().invoke(app, ["scale", "status", "--hours", "1"])
    assert done.exit_code == 0
    for part in (PLACE, "scaled by   nobody else", "100 sections, 0 of them in work", "1 -> 3: 100 sections x 60 s"):
        assert part in done.stdout
    cluster.add_autoscaler(NAME)
    assert "HorizontalPodAutoscaler by-backlog" in CliRunner().invoke(app, ["scale", "status"]).stdout
    cluster.fail("list scaledobjects", 403)
    assert "unknown, so nothing is scaled" in CliRunner().invoke(app, ["scale", "status"]).stdout
    assert cluster.replicas == 1


def test_the_command_scales_unless_something_else_does(world: World, cluster: Cluster) -> None:
    """A wish by hand is refused where an autoscaler would undo it."""
    done = CliRunner().invoke(app, ["scale", "to", "4"])
    assert (done.exit_code, done.stdout) == (0, f"{PLACE}: 1 -> 4 asked for\n")
    assert cluster.replicas == 4
    cluster.add_scaled_object({"name": NAME})
    refused = CliRunner().invoke(app, ["scale", "to", "2"])
    assert isinstance(refused.exception, ScalingRefused)
    assert cluster.replicas == 4
