"""What every pod of the chart keeps to."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest
import yaml
from helm_binaries import ROOT
from helm_chart import CASES, CHART, Rendered, render, selects

from credit_signals.settings import Settings

Case = Callable[..., Rendered]
every_case = pytest.mark.parametrize("name", CASES)
OURS = "credit-signals-worker"


@every_case
def test_pods_are_confined(name: str, case: Case) -> None:
    """No pod is root, writes to its image, has a capability or an API token, or leaves seccomp's default."""
    for where, pod in case(name).pods():
        security = pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, where
        assert security["runAsUser"] > 0, where
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert pod["spec"]["automountServiceAccountToken"] is False, where
    for where, container in case(name).containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, where


@every_case
def test_our_pods_run_as_the_images_user(name: str, case: Case) -> None:
    """Pods of our image run as its user, 10001."""
    for where, pod in case(name).pods():
        if all(OURS in container["image"] for container in pod["spec"]["containers"]):
            assert pod["spec"]["securityContext"]["runAsUser"] == 10001, where
            assert pod["spec"]["securityContext"]["fsGroup"] == 10001, where


@every_case
def test_a_read_only_container_can_write_where_it_must(name: str, case: Case) -> None:
    """Our containers have a writable /tmp, and /data but for the fetching one; every mount has its volume."""
    for where, pod in case(name).pods():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            assert set(mounts.values()) <= volumes, where
            assert "/tmp" in mounts, where
            if OURS in container["image"] and container["name"] != "fetch-model":
                assert "/data" in mounts, where


@every_case
def test_containers_say_what_they_need(name: str, case: Case) -> None:
    """Every container asks for CPU and memory and has a limit of memory, and none of CPU."""
    for where, container in case(name).containers():
        resources = container["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys(), where
        assert "memory" in resources["limits"], where
        assert "cpu" not in resources["limits"], where


@every_case
def test_servers_have_all_three_probes(name: str, case: Case) -> None:
    """Every container of a Deployment is probed for start, life and readiness."""
    for deployment in case(name).all("Deployment"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), container["name"]
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for way in ("httpGet", "tcpSocket"):
                    if way in container[probe]:
                        assert container[probe][way]["port"] in ports


@every_case
def test_images_are_pinned(name: str, case: Case) -> None:
    """Every image has a tag other than latest, or a digest."""
    for where, container in case(name).containers():
        image = container["image"]
        assert "@sha256:" in image or (":" in image and not image.endswith(":latest")), where


def test_two_workers_fit_a_node_of_two_cpus(case: Case) -> None:
    """Two workers by default leave a fifth of 2 vCPU, and most of 4 GiB, to the node's own daemons."""
    requests = case("default").one("Deployment", "-section-reader")["spec"]["template"]["spec"]["containers"][0][
        "resources"
    ]["requests"]
    assert requests["cpu"] == "800m"
    assert requests["memory"] == "384Mi"


@every_case
def test_secrets_are_referred_to_and_never_written(name: str, case: Case) -> None:
    """The addresses of Redis and store come from a Secret; the chart writes one for a trial only."""
    rendered = case(name)
    values = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text())
    assert len(rendered.all("Secret")) == (1 if values.get("trial", {}).get("enabled") else 0)
    for where, container in rendered.containers():
        for variable in container.get("env", []):
            if variable["name"] in {"CREDIT_SIGNALS_REDIS_URL", "CREDIT_SIGNALS_STORE_URL"}:
                assert set(variable) == {"name", "valueFrom"}, where
                assert set(variable["valueFrom"]) == {"secretKeyRef"}, where


def test_a_trials_addresses_lead_to_its_services(case: Case) -> None:
    """What a trial's Secret says is where its Redis and Postgres are, with their passwords."""
    rendered = case("trial")
    secret = rendered.one("Secret")["stringData"]
    for part, port in (("redis", 6379), ("postgres", 5432)):
        service = rendered.one("Service", f"-trial-{part}")
        place = f"{secret[f'{part}-password']}@{service['metadata']['name']}.reading:{port}/"
        assert place in secret["redis-url" if part == "redis" else "store-url"]
        pods = [pod for _, pod in rendered.pods() if selects(service["spec"]["selector"], pod)]
        assert len(pods) == 1
        assert service["spec"]["ports"][0]["targetPort"] in {
            port["name"] for port in pods[0]["spec"]["containers"][0]["ports"]
        }


@every_case
def test_every_setting_is_one_of_ours(name: str, case: Case) -> None:
    """A CREDIT_SIGNALS_ variable that the product does not know would be ignored without a word."""
    known = {f"CREDIT_SIGNALS_{field.upper()}" for field in Settings.model_fields}
    rendered = case(name)
    given = set(rendered.one("ConfigMap", "-settings")["data"])
    for _, container in rendered.containers():
        given |= {variable["name"] for variable in container.get("env", [])}
    assert {variable for variable in given if variable.startswith("CREDIT_SIGNALS_")} <= known


def test_settings_of_the_configmap_are_valid(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product takes the values that the chart sets."""
    for variable, value in case("everything").one("ConfigMap", "-settings")["data"].items():
        monkeypatch.setenv(variable, value)
    chosen = Settings()
    assert chosen.queue_length == 200_000
    assert str(chosen.reader) == "/models/reader.toml"


def test_a_changed_setting_starts_new_pods() -> None:
    """Pods read the ConfigMap when they start, so a change of it changes them."""

    def stamps(length: int) -> set[str]:
        values = {"secrets": {"existingSecret": "x"}, "settings": {"queueLength": length}}
        return {
            each["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]
            for each in render(values).all("Deployment")
        }

    assert len(stamps(1000)) == 1
    assert stamps(1000) == stamps(1000)
    assert stamps(1000) != stamps(2000)


def test_the_migration_finds_its_secret(case: Case) -> None:
    """Before an installation only a Secret of one's own is there; one that the chart makes comes with the rest."""
    for name, moment in (("default", "pre-install"), ("trial", "post-install"), ("external-secrets", "post-install")):
        job = case(name).one("Job")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == f"{moment},pre-upgrade", name


def test_the_migration_needs_nothing_that_is_not_there_yet(case: Case) -> None:
    """A hook runs before ConfigMap and ServiceAccount exist."""
    spec = case("default").one("Job")["spec"]["template"]["spec"]
    assert "serviceAccountName" not in spec
    assert "envFrom" not in spec["containers"][0]
    assert spec["containers"][0]["command"] == ["credit-signals", "migrate"]


def test_the_model_is_fetched_before_the_worker_starts(case: Case) -> None:
    """The init container writes what the worker reads, with the hash to check; the worker cannot change it."""
    rendered = case("fetch-model")
    spec = rendered.one("Deployment", "-section-reader")["spec"]["template"]["spec"]
    fetch = spec["initContainers"][0]
    assert fetch["command"] == ["credit-signals", "model", "fetch"]
    assert fetch["args"] == [
        "s3://example-models/readers/2026-11/reader.toml",
        "--sha256=" + "0123456789abcdef" * 4,
        "--to=/models/reader.toml",
        "--parts",
    ]
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["/models"]["readOnly"] is True
    assert rendered.one("ConfigMap", "-settings")["data"]["CREDIT_SIGNALS_READER"] == "/models/reader.toml"


def test_a_volume_of_models_is_mounted_read_only(case: Case) -> None:
    """A claim is mounted at the manifest's place, and no pod writes to it."""
    spec = case("pvc-model").one("Deployment", "-section-reader")["spec"]["template"]["spec"]
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["/models"] == {"name": "models", "mountPath": "/models", "readOnly": True, "subPath": "2026-11"}


def test_pods_may_use_the_role_of_aws(case: Case) -> None:
    """IRSA is an annotation of the ServiceAccount that workers run under."""
    rendered = case("eks-irsa-spot")
    account = rendered.one("ServiceAccount")
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::")
    spec = rendered.one("Deployment", "-section-reader")["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == account["metadata"]["name"]


def test_workers_go_where_they_are_told(case: Case) -> None:
    """Node selector, tolerations and affinity reach the pods; spreading selects these pods alone."""
    deployment = case("eks-irsa-spot").one("Deployment", "-section-reader")
    spec = deployment["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"karpenter.sh/capacity-type": "spot"}
    assert spec["tolerations"] == [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}]
    assert "nodeAffinity" in spec["affinity"]
    for spread in spec["topologySpreadConstraints"]:
        assert spread["labelSelector"] == deployment["spec"]["selector"]


def test_the_chart_is_of_the_projects_version() -> None:
    """The image's tag, taken from the chart, is the version of the code beside it."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]


def test_the_test_pod_asks_workers_that_are_there(case: Case) -> None:
    """`helm test` asks doctor, and the readiness of workers that never scale to zero."""
    arguments = case("default").one("Pod")["spec"]["containers"][0]["args"]
    assert '"credit-signals", "doctor"' in arguments[0]
    assert arguments[1:] == ["http://cs-credit-signals-section-reader.reading:8080/readyz"]
    assert case("keda").one("Pod")["spec"]["containers"][0]["args"][1:] == []
