"""Scaling through the real Kubernetes client, over HTTP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.integration.scaling.scaled_cluster import GET, NAME, NO_ANSWER, PATCH, PLACE, Cluster

from credit_signals.children import free_port
from credit_signals.errors import ClusterUnavailable, ConfigurationError, ScaleConflict, ScalingRefused
from credit_signals.scaling import KubernetesDeployment, Replicas
from credit_signals.scaling.deployment import ATTEMPTS

LIST_KEDA, LIST_HPA = "list scaledobjects", "list horizontalpodautoscalers"


@pytest.fixture
def deployment(cluster: Cluster) -> KubernetesDeployment:
    """Its workers, as the product sees them."""
    return KubernetesDeployment(PLACE, str(cluster.kubeconfig))


def test_replicas_are_read_and_set(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """A wish reaches the scale subresource, and nothing else is touched."""
    assert deployment.replicas() == Replicas(1, 1)
    deployment.scale(7)
    assert cluster.replicas == 7
    assert deployment.replicas() == Replicas(7, 7)
    deployment.scale(0)
    assert deployment.replicas() == Replicas(0, 0)
    assert set(cluster.asked) == {GET, PATCH}


def test_what_others_change_meanwhile_is_read_again(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """A conflict is no failure: the second patch is on what was read after it."""
    cluster.fail(PATCH, [409, 409])
    deployment.scale(3)
    assert cluster.replicas == 3
    assert cluster.asked == [GET, PATCH] * 3


def test_a_patch_on_an_old_reading_is_a_conflict(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """The patch carries the version that was read, so that the cluster notices a change between the two."""
    read = deployment._read

    def read_then_changed() -> object:
        scale = read()
        if cluster.replicas == 1:
            KubernetesDeployment(PLACE, str(cluster.kubeconfig)).scale(5)
        return scale

    deployment._read = read_then_changed  # type: ignore[method-assign]
    deployment.scale(3)
    assert cluster.replicas == 3
    assert cluster.asked.count(PATCH) == 3  # 5 by another, a conflict, 3


def test_conflicts_without_end_are_given_up(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """Others that change the Deployment all the time do not hold the caller for ever."""
    cluster.fail(PATCH, 409)
    with pytest.raises(ScaleConflict, match=PLACE):
        deployment.scale(3)
    assert cluster.asked.count(PATCH) == ATTEMPTS
    assert cluster.replicas == 1


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, ScalingRefused, "401"),
        (403, ScalingRefused, "grant the verb patch on deployments/scale"),
        (404, ScalingRefused, "is the name right"),
        (410, ScalingRefused, "serves this API no longer"),
        (422, ScalingRefused, "ordered by the test"),
        (429, ClusterUnavailable, "429"),
        (500, ClusterUnavailable, "500"),
        (503, ClusterUnavailable, "503"),
    ],
)
def test_a_refusal_names_the_deployment_and_the_way_out(
    cluster: Cluster, deployment: KubernetesDeployment, status: int, error: type[Exception], says: str
) -> None:
    """Each status becomes one clear error, is not repeated, and changes nothing."""
    cluster.fail(PATCH, status)
    with pytest.raises(error, match=f"{PLACE}: patch deployments/scale.*{says}"):
        deployment.scale(3)
    assert cluster.asked.count(PATCH) == 1
    assert cluster.replicas == 1


def test_a_deployment_that_is_not_there_is_refused(cluster: Cluster) -> None:
    """A wrong name is said with the name."""
    other = KubernetesDeployment("signals/other", str(cluster.kubeconfig))
    for call in (other.replicas, lambda: other.scale(2)):
        with pytest.raises(ScalingRefused, match="signals/other: get deployments/scale: 404"):
            call()


@pytest.mark.parametrize("what", [GET, PATCH])
def test_a_cluster_that_does_not_answer_holds_nobody(
    cluster: Cluster, deployment: KubernetesDeployment, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call ends in time, and is made once."""
    cluster.fail(what, NO_ANSWER)
    monkeypatch.setattr("credit_signals.scaling.deployment.ANSWER_SECONDS", 1.0)
    with pytest.raises(ClusterUnavailable, match=f"{PLACE}: {what}: the cluster does not answer"):
        deployment.scale(2)
    assert cluster.asked.count(what) == 1


def test_a_cluster_that_refuses_connections_is_unavailable(cluster: Cluster, tmp_path: Path) -> None:
    """No API server at the address: said at once."""
    elsewhere = tmp_path / "elsewhere"
    port = cluster.kubeconfig.read_text().split("127.0.0.1:")[1].split('"')[0]
    elsewhere.write_text(cluster.kubeconfig.read_text().replace(port, str(free_port())))
    began = time.monotonic()
    with pytest.raises(ClusterUnavailable, match=PLACE):
        KubernetesDeployment(PLACE, str(elsewhere)).replicas()
    assert time.monotonic() - began < 30  # no retries, however long those would take


@pytest.mark.parametrize("place", ["", "workers", "a/b/c", "Signals/workers", "signals/", "signals/../secrets"])
def test_a_place_that_names_no_deployment_is_refused(place: str) -> None:
    """A wrong setting never becomes a path of the API."""
    with pytest.raises(ConfigurationError, match="namespace/name"):
        KubernetesDeployment(place)


def test_without_a_cluster_the_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing or broken kubeconfig nor a machine that is no pod ends in a stack trace."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    broken = tmp_path / "broken"
    broken.write_text("clusters: [")
    for kubeconfig in ("", str(tmp_path / "absent"), str(broken)):
        with pytest.raises(ConfigurationError, match=PLACE):
            KubernetesDeployment(PLACE, kubeconfig).replicas()


def test_nobody_owns_a_plain_deployment(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """Without KEDA, and with autoscalers of other things, the Deployment is ours to scale."""
    cluster.add_autoscaler("another")
    assert deployment.owner() == ""
    cluster.add_autoscaler(NAME, kind="StatefulSet")
    cluster.add_scaled_object({"name": "another"})
    assert deployment.owner() == ""
    assert cluster.asked == [LIST_KEDA, LIST_HPA] * 2


@pytest.mark.parametrize("target", [{"name": NAME}, {"name": NAME, "kind": "Deployment", "apiVersion": "apps/v1"}])
def test_keda_owns_what_its_scaled_object_targets(
    cluster: Cluster, deployment: KubernetesDeployment, target: dict[str, str]
) -> None:
    """A ScaledObject without a kind means a Deployment."""
    cluster.add_scaled_object(target)
    assert deployment.owner() == "KEDA's ScaledObject by-lag"


def test_an_autoscaler_owns_its_target(cluster: Cluster, deployment: KubernetesDeployment) -> None:
    """A HorizontalPodAutoscaler would undo every wish."""
    cluster.add_autoscaler(NAME)
    assert deployment.owner() == "HorizontalPodAutoscaler by-backlog"


@pytest.mark.parametrize("what", [LIST_KEDA, LIST_HPA])
def test_whose_owner_cannot_be_known_is_not_scaled(
    cluster: Cluster, deployment: KubernetesDeployment, what: str
) -> None:
    """A Role that forbids the question is named: silence would be taken for freedom."""
    cluster.fail(what, 403)
    with pytest.raises(ScalingRefused, match=f"403.*grant the verb list on {what.split()[1]}"):
        deployment.owner()
