"""Alerts, dashboard and autoscaling ask for metrics that exist, and every alert leads to a page that helps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import promql_parser
import pytest
from helm_chart import CHART, Rendered
from prometheus_client.exposition import generate_latest

from credit_signals.telemetry.metrics import QueueGauges, WorkerMetrics

Case = Callable[..., Rendered]
OTHERS = {  # of kube-state-metrics and the kubelet
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_unavailable",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_restarts_total",
    "container_memory_working_set_bytes",
}
SUFFIXES = ("", "_bucket", "_sum", "_count", "_total")


@pytest.fixture(scope="module")
def ours() -> set[str]:
    """Every series that a worker can expose."""
    metrics = WorkerMetrics(lambda: True, QueueGauges(60))
    families = [*metrics.registry.collect(), *QueueGauges(60).describe()]
    assert b"credit_signals_worker_ready" in generate_latest(metrics.registry)
    return {f"{family.name}{suffix}" for family in families for suffix in SUFFIXES}


def metrics_of(expression: str) -> Iterator[str]:
    """The names of the metrics in an expression. Raises ValueError for one that Prometheus cannot read."""
    parsed = promql_parser.parse(expression)
    assert parsed.prettify()
    yield from (name for name in re.findall(r"\b([a-z_:]+)\{", parsed.prettify()) if name)


def test_alerts_ask_for_metrics_that_exist(case: Case, ours: set[str]) -> None:
    """An alert on a metric that nobody exposes would be silent for ever."""
    seen = set()
    for rule in case("everything").all("PrometheusRule"):
        for alert in rule["spec"]["groups"][0]["rules"]:
            names = set(metrics_of(alert["expr"]))
            assert names, alert["alert"]
            assert names <= ours | OTHERS, alert["alert"]
            seen |= names
    assert len(seen) >= 7


def test_the_dashboard_asks_for_metrics_that_exist(case: Case, ours: set[str]) -> None:
    """A panel on a metric that nobody exposes would be empty for ever; every metric of ours has a panel."""
    dashboard = json.loads(case("everything").one("ConfigMap", "-dashboard")["data"]["credit-signals.json"])
    seen = set()
    for panel in dashboard["panels"]:
        assert panel["description"], panel["title"]
        for target in panel["targets"]:
            seen |= set(metrics_of(target["expr"].replace("$namespace", "n").replace("$workers", "w")))
    assert seen <= ours | OTHERS
    exposed = {family.name for family in WorkerMetrics(lambda: True, QueueGauges(60)).registry.collect()}
    shown = {name.removesuffix(end) for name in seen for end in SUFFIXES}
    assert {name for name in exposed if name.startswith("credit_signals_")} <= shown


def test_panels_do_not_overlap(case: Case) -> None:
    """Each panel has a place of its own on a grid of 24."""
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in mine) < 24
        assert not mine & taken, panel["title"]
        taken |= mine


def test_the_hpa_asks_for_a_metric_that_exists(case: Case, ours: set[str]) -> None:
    """The default name is the metric's own."""
    (metric,) = case("hpa").one("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] in ours


def anchors() -> set[str]:
    """The headings of the chart's README, as links name them."""
    headings = re.findall(r"^#+ (.+)$", (CHART / "README.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alert_has_its_runbook(case: Case) -> None:
    """Each alert names a heading of the README that stands there."""
    alerts = case("everything").one("PrometheusRule", "-section-reader")["spec"]["groups"][0]["rules"]
    for alert in alerts:
        for key in ("runbook", "runbook_url"):
            page, _, anchor = alert["annotations"][key].partition("#")
            assert page.endswith("helm/credit-signals/README.md")
            assert anchor in anchors(), alert["alert"]
        assert alert["labels"]["severity"] in {"warning", "critical"}


def test_prometheus_finds_the_workers(case: Case) -> None:
    """The ServiceMonitor selects the workers' Service and a port that it has."""
    rendered = case("hpa")
    monitor = rendered.one("ServiceMonitor")
    service = rendered.one("Service", "-section-reader")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_monitoring_is_off_by_default(case: Case) -> None:
    """A cluster without the operator's kinds takes the chart as it is."""
    kinds = {each["kind"] for each in case("default").objects}
    assert not kinds & {"ServiceMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication", "ExternalSecret"}
