"""A trial's passwords: drawn once, and kept by what is in the cluster."""

from __future__ import annotations

import asyncio
import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import kmock
import kubernetes_validate
import pytest
import yaml
from helm_binaries import helm
from helm_chart import CHART, NAMESPACE, RELEASE, Rendered, render, values_of

KEPT = {"redis-password": "kept-by-redis", "postgres-password": "kept-by-postgres"}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """Leads to an API server (kmock) that holds the Secret of an earlier installation."""
    api = kmock.KubernetesEmulator(strict=False)
    secrets = kmock.resource("", "v1", "secrets")
    api.resources[secrets] = {"kind": "Secret", "namespaced": True, "verbs": ["get"]}
    name = f"{RELEASE}-credit-signals-trial"
    api.objects[secrets, NAMESPACE, name] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {key: b64encode(value.encode()).decode() for key, value in KEPT.items()},
    }
    file, served, loops = tmp_path / "kubeconfig", Event(), []
    over = asyncio.Event()

    async def serve() -> None:
        async with api, kmock.Server(api, host="127.0.0.1") as server:
            cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.port}"}}
            context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
            parts = {"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {}}]}
            file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "c", **parts}))
            loops.append(asyncio.get_running_loop())
            served.set()
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert served.wait(30)
    yield file
    loops[0].call_soon_threadsafe(over.set)
    thread.join()


def test_an_upgrade_keeps_the_passwords(kubeconfig: Path) -> None:
    """Passwords that are in the cluster are those of the next revision: Redis and Postgres would not know others."""
    command = [helm("3.17"), "template", RELEASE, CHART, "--namespace", NAMESPACE, "--values", values_of("trial")]
    command += ["--dry-run=server", "--kubeconfig", kubeconfig, "--kube-version", "1.34"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    rendered = Rendered([each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each])
    written = rendered.one("Secret")["stringData"]
    assert {key: written[key] for key in KEPT} == KEPT
    assert "kept-by-redis@" in written["redis-url"]


def test_passwords_are_drawn() -> None:
    """Two installations have different passwords, long ones."""
    one, two = (render(values_of("trial")).one("Secret")["stringData"] for _ in range(2))
    for key in KEPT:
        assert one[key] != two[key]
        assert len(one[key]) == 32


def test_keda_and_a_trial_agree_on_the_key() -> None:
    """The key that KEDA is told is one that the trial's Secret has, whatever it is called."""
    keda = {"section-reader": {"autoscaling": {"keda": {"enabled": True}}}}
    keys = {"redisPassword": "another-name", "redisUsername": "user"}
    rendered = render({"trial": {"enabled": True}, "workers": keda, "secrets": {"keys": keys}})
    (target,) = rendered.one("TriggerAuthentication")["spec"]["secretTargetRef"]
    assert target["key"] in rendered.one("Secret")["stringData"]


def test_the_example_crawl_fits_a_trial() -> None:
    """The Job of the README is valid, and takes the keys of the Secret that a trial named `cs` makes."""
    job = yaml.safe_load((CHART / "examples" / "crawl-job.yaml").read_text())
    kubernetes_validate.validate(job, "1.34", strict=True)
    secret = render(values_of("trial")).one("Secret")
    for variable in job["spec"]["template"]["spec"]["containers"][0]["env"][1:]:
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference["name"] == secret["metadata"]["name"]
        assert reference["key"] in secret["stringData"]
