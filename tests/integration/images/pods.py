"""Podman, as far as the image tests need it: builds, pods from manifests, looks at what runs."""

from __future__ import annotations

import base64
import copy
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

CONFIGURATION = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""  # what lets podman run where no systemd does
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def podman(*arguments: str | Path, given: str | None = None) -> str:
    """Run podman; what it prints. A failure shows what it said."""
    done = subprocess.run(["podman", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"podman {arguments[0]}: {done.stderr[-2000:]}"
    return done.stdout.strip()


def use_configuration(folder: Path) -> None:
    """Let podman run without systemd."""
    path = folder / "containers.conf"
    path.write_text(CONFIGURATION)
    os.environ["CONTAINERS_CONF"] = str(path)


@dataclass(frozen=True)
class WorkerPod:
    """A pod with one worker in it."""

    name: str

    @property
    def container(self) -> str:
        """The name of the worker's container."""
        return f"{self.name}-pod-0-worker"

    def look(self) -> dict[str, Any]:
        """What podman knows of the container."""
        (found,) = json.loads(podman("inspect", self.container))
        return dict(found)

    @property
    def pid(self) -> int:
        """The worker's process, as this machine sees it; 0 while none runs."""
        return int(self.look()["State"]["Pid"])

    def memory(self) -> int:
        """Bytes that the worker's process holds, shared pages counted by share (PSS)."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

    def answer(self, path: str) -> int:
        """The status with which the worker's probe server answers; 0 while it does not."""
        holder = self.look()["HostConfig"]["NetworkMode"].removeprefix("container:")  # of the pod's network
        (infra,) = json.loads(podman("inspect", holder))
        address = next(iter(infra["NetworkSettings"]["Networks"].values()))["IPAddress"]
        try:
            return httpx.get(f"http://{address}:8080{path}", timeout=2, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    def kill(self) -> None:
        """Kill the worker's process, as the kernel does when memory is short."""
        os.kill(self.pid, signal.SIGKILL)

    def stop(self, grace: int) -> int:
        """End the worker as a node does: SIGTERM, and SIGKILL after the grace. Its exit status.

        Not `podman pod stop`: it takes the pod's network away first.
        """
        podman("stop", "--time", str(grace), self.container)
        return int(self.look()["State"]["ExitCode"])

    def log(self) -> str:
        """What the worker wrote."""
        done = subprocess.run(["podman", "logs", self.container], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr


@contextmanager
def playing(manifests: list[Mapping[str, Any]], deployment: Mapping[str, Any], name: str) -> Iterator[WorkerPod]:
    """A worker Deployment of the chart as one pod of this name, and the manifests that it needs beside it."""
    adapted = yaml.safe_dump_all([*manifests, as_podman_takes_it(deployment, name)], sort_keys=False)
    podman("kube", "play", "--network", "podman", "-", given=adapted)
    try:
        yield WorkerPod(name)
    finally:
        podman("pod", "rm", "--force", f"{name}-pod-0")


def as_podman_takes_it(deployment: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The Deployment but for what podman 4 does otherwise than a cluster.

    It publishes container ports on the machine, asks HTTP probes with a curl inside the container, and shares emptyDirs
    of one name between pods.
    """
    adapted = copy.deepcopy(dict(deployment))
    adapted["metadata"]["name"] = name
    adapted["spec"]["replicas"] = 1
    pod = adapted["spec"]["template"]["spec"]
    for container in pod["containers"]:
        for left_out in ("ports", *PROBES):
            container.pop(left_out, None)
        for mount in container["volumeMounts"]:
            mount["name"] = f"{name}-{mount['name']}"
    for volume in pod["volumes"]:
        volume["name"] = f"{name}-{volume['name']}"
    return adapted


@contextmanager
def secret(name: str, values: Mapping[str, str]) -> Iterator[None]:
    """A Secret for `secretKeyRef`, as podman keeps it: JSON of what `data` would hold."""
    podman("secret", "create", name, "-", given=json.dumps({key: _coded(value) for key, value in values.items()}))
    try:
        yield
    finally:
        podman("secret", "rm", name)


def _coded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()
