"""Who may talk to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helm_chart import CASES, Rendered, render, selects

Case = Callable[..., Rendered]


@pytest.mark.parametrize("name", CASES)
def test_every_pod_has_a_policy_and_every_policy_a_pod(name: str, case: Case) -> None:
    """No pod is left open, and no policy guards nothing; both directions are ruled."""
    rendered = case(name)
    policies = rendered.all("NetworkPolicy")
    guarded = set()
    for policy in policies:
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        mine = [where for where, pod in rendered.pods() if selects(policy["spec"]["podSelector"]["matchLabels"], pod)]
        assert mine, policy["metadata"]["name"]
        guarded.update(mine)
    assert guarded == {where for where, _ in rendered.pods()}


@pytest.mark.parametrize("name", CASES)
def test_services_and_budgets_find_their_pods(name: str, case: Case) -> None:
    """A Service or a PodDisruptionBudget selects the pods of exactly one Deployment."""
    rendered = case(name)
    selectors = [(each["metadata"]["name"], each["spec"]["selector"]) for each in rendered.all("Service")]
    for budget in rendered.all("PodDisruptionBudget"):
        selectors.append((budget["metadata"]["name"], budget["spec"]["selector"]["matchLabels"]))
    for where, labels in selectors:
        assert len([pod for _, pod in rendered.pods() if selects(labels, pod)]) == 1, where


def egress(rendered: Rendered, name: str) -> list[dict[str, Any]]:
    """The egress rules of a policy."""
    rules: list[dict[str, Any]] = rendered.one("NetworkPolicy", name)["spec"]["egress"]
    return rules


def ports(rule: dict[str, Any]) -> list[int | str]:
    """The ports of a rule."""
    return [port["port"] for port in rule["ports"]]


def test_workers_reach_dns_redis_and_store_only(case: Case) -> None:
    """Nothing else leaves a worker, and Redis and store are where the values say."""
    rules = egress(case("eks-irsa-spot"), "-section-reader")
    assert [ports(rule) for rule in rules] == [[53, 53], [6379], [5432]]
    assert rules[1]["to"] == [{"ipBlock": {"cidr": "10.0.16.0/20"}}]
    assert rules[2]["to"] == [{"ipBlock": {"cidr": "10.0.32.0/20"}}]


def test_only_a_fetched_model_opens_the_web(case: Case) -> None:
    """With `fetch` the source's port is open, and the node's metadata stays closed."""
    extra = egress(case("fetch-model"), "-section-reader")[3]
    assert ports(extra) == [443]
    assert extra["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]


def test_the_results_page_reaches_the_store_only(case: Case) -> None:
    """The page has no business with Redis."""
    assert [ports(rule) for rule in egress(case("default"), "-results")] == [[53, 53], [5432]]


def test_a_trial_is_reached_by_its_pods(case: Case) -> None:
    """Workers may go to the trial's Redis and Postgres, whose policies let them in."""
    rendered = case("trial")
    for rule, part in zip(egress(rendered, "-section-reader")[1:], ("redis", "postgres"), strict=True):
        (peer,) = rule["to"]
        pods = [pod for _, pod in rendered.pods() if selects(peer["podSelector"]["matchLabels"], pod)]
        assert [pod["spec"]["containers"][0]["name"] for pod in pods] == [part]
        assert {"podSelector": {}} in rendered.one("NetworkPolicy", f"-trial-{part}")["spec"]["ingress"][0]["from"]


def test_metrics_are_for_monitoring_and_the_test(case: Case) -> None:
    """Only Prometheus' namespace and `helm test` come in to a worker, at the probes' port."""
    rendered = case("default")
    (rule,) = rendered.one("NetworkPolicy", "-section-reader")["spec"]["ingress"]
    assert ports(rule) == ["probes"]
    test, monitoring = rule["from"]
    assert selects(test["podSelector"]["matchLabels"], rendered.one("Pod"))
    assert monitoring["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


def test_policies_can_be_left_to_others() -> None:
    """Where the cluster has rules of its own, the chart makes none."""
    values = {"secrets": {"existingSecret": "x"}, "networkPolicy": {"enabled": False}}
    assert render(values).all("NetworkPolicy") == []


def test_no_ingress_unless_asked_for(case: Case) -> None:
    """The page has no login, so nothing leads to it from outside by default."""
    assert case("default").all("Ingress") == []
    assert case("default").one("Service", "-results")["spec"]["type"] == "ClusterIP"
    ingress = case("everything").one("Ingress")
    assert ingress["spec"]["tls"] == [{"secretName": "credit-signals-tls", "hosts": ["credit-signals.example.com"]}]


def test_nobody_named_is_nobody_let_in() -> None:
    """A rule without peers would let in everyone: a page without login must not open because a list was emptied."""
    values = {"secrets": {"existingSecret": "x"}, "networkPolicy": {"resultsPage": {"from": []}}}
    assert render(values).one("NetworkPolicy", "-results")["spec"]["ingress"] == []
