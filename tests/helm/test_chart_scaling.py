"""Scaling: one owner of the number of pods, on figures that mean what they should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helm_chart import CASES, Refused, Rendered, render

from credit_signals.settings import Settings
from credit_signals.task_queue.keys import QueueKeys

Case = Callable[..., Rendered]


def with_worker(**worker: Any) -> dict[str, Any]:
    """Values of a section reader."""
    return {"secrets": {"existingSecret": "x"}, "workers": {"section-reader": worker}}


@pytest.mark.parametrize("name", CASES)
def test_one_owner_of_the_number_of_pods(name: str, case: Case) -> None:
    """Where an autoscaler or Airflow sets the number, an upgrade does not set it back."""
    rendered = case(name)
    autoscaled = {
        each["spec"]["scaleTargetRef"]["name"]
        for kind in ("ScaledObject", "HorizontalPodAutoscaler")
        for each in rendered.all(kind)
    }
    by_airflow = {worker for role in rendered.all("Role") for worker in role["rules"][0]["resourceNames"]}
    for deployment in rendered.all("Deployment"):
        owned = deployment["metadata"]["name"] in autoscaled | by_airflow
        assert ("replicas" in deployment["spec"]) is not owned, deployment["metadata"]["name"]
    assert autoscaled | by_airflow <= {each["metadata"]["name"] for each in rendered.all("Deployment")}


def test_keda_counts_the_stream_that_workers_read(case: Case) -> None:
    """The stream is the queue's, its length counts (not lag, not pending), and nothing waiting means no pod."""
    scaled = case("keda").one("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["type"] == "redis-streams"
    assert trigger["metadata"]["stream"] == QueueKeys("section_reader").tasks
    assert "streamLength" in trigger["metadata"]
    assert not {"consumerGroup", "lagCount", "pendingEntriesCount"} & trigger["metadata"].keys()
    assert scaled["spec"]["minReplicaCount"] == 0


def test_keda_finds_the_password(case: Case) -> None:
    """The TriggerAuthentication names keys of the Secret that workers use, also a trial's."""
    for name in ("keda", "everything"):
        rendered = case(name)
        authentication = rendered.one("TriggerAuthentication")
        (trigger,) = rendered.one("ScaledObject")["spec"]["triggers"]
        assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
        assert authentication["spec"]["secretTargetRef"][0]["key"] == "redis-password"
    assert "redis-password" in case("everything").one("Secret")["stringData"]


def test_the_hpa_never_goes_to_zero(case: Case) -> None:
    """Workers themselves report the backlog: with none of them, nothing would tell that work waits."""
    hpa = case("hpa").one("HorizontalPodAutoscaler")
    assert hpa["spec"]["minReplicas"] >= 1
    (metric,) = hpa["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == "credit_signals_queue_backlog_sections"
    with pytest.raises(Refused, match="minReplicas"):
        render(with_worker(autoscaling={"hpa": {"enabled": True, "minReplicas": 0}}))


def test_two_autoscalers_are_refused() -> None:
    """KEDA makes an HPA of its own: two on one Deployment fight."""
    both = {"keda": {"enabled": True}, "hpa": {"enabled": True}}
    with pytest.raises(Refused, match="both set the number of pods"):
        render({**with_worker(autoscaling=both), "redis": {"address": "redis:6379"}})


def test_keda_needs_an_address() -> None:
    """KEDA takes no URL from the Secret, so a missing address is said at once."""
    with pytest.raises(Refused, match=r"redis\.address"):
        render(with_worker(autoscaling={"keda": {"enabled": True}}))


def test_the_grace_outlasts_the_longest_batch(case: Case) -> None:
    """A worker that is told to end finishes its batch: values under which it could not are refused."""
    with pytest.raises(Refused, match="terminationGracePeriodSeconds"):
        render(with_worker(batch=64, slowestSectionSeconds=4))
    with pytest.raises(Refused, match="terminationGracePeriodSeconds"):
        render(with_worker(terminationGracePeriodSeconds=30))
    spec = case("default").one("Deployment", "-section-reader")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 120
    environment = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    assert environment["CREDIT_SIGNALS_BATCH"] == str(Settings.model_fields["batch"].default)


def test_airflow_may_scale_workers_and_nothing_else(case: Case) -> None:
    """The Role lets one account set the number of these Deployments and see who else would, no more."""
    rendered = case("eks-irsa-spot")
    scale, scaled_objects, autoscalers = rendered.one("Role")["rules"]
    assert scale == {
        "apiGroups": ["apps"],
        "resources": ["deployments/scale"],
        "verbs": ["get", "patch"],
        "resourceNames": ["cs-credit-signals-section-reader"],
    }
    assert scaled_objects == {"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": ["list"]}
    assert autoscalers == {
        "apiGroups": ["autoscaling"],
        "resources": ["horizontalpodautoscalers"],
        "verbs": ["list"],
    }
    binding = rendered.one("RoleBinding")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "airflow-triggerer", "namespace": "airflow"}]
    assert binding["roleRef"]["name"] == rendered.one("Role")["metadata"]["name"]
    assert case("default").all("Role") == []


def test_a_drain_takes_some_pods_and_is_never_blocked(case: Case) -> None:
    """The budget is a share that rounds up: one last pod, or a sick one, may always go."""
    spec = case("default").one("PodDisruptionBudget")["spec"]
    assert spec["maxUnavailable"] == "50%"
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_another_kind_of_worker_is_an_entry_of_values(case: Case) -> None:
    """A second kind has its own Deployment, Service, budget and policy, and the defaults where it says nothing."""
    rendered = case("everything")
    for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"):
        rendered.one(kind, "-chat-reader")
        rendered.one(kind, "-section-reader")
    spec = rendered.one("Deployment", "-chat-reader")["spec"]["template"]["spec"]
    assert spec["containers"][0]["resources"]["requests"] == {
        "cpu": "800m",
        "memory": "3Gi",
        "ephemeral-storage": "128Mi",
    }
    assert rendered.one("HorizontalPodAutoscaler", "-chat-reader")


def test_a_kind_can_be_switched_off() -> None:
    """A kind that is off leaves nothing behind."""
    rendered = render(with_worker(enabled=False))
    assert [each for each in rendered.objects if "section-reader" in each["metadata"]["name"]] == []


def test_no_worker_is_no_right_to_scale() -> None:
    """A rule without names would be a right on every Deployment of the namespace."""
    values = {
        "secrets": {"existingSecret": "x"},
        "airflow": {"scaling": {"enabled": True}},
        "workers": {"section-reader": {"enabled": False}},
    }
    assert [rule["verbs"] for rule in render(values).one("Role")["rules"]] == [["list"], ["list"]]
