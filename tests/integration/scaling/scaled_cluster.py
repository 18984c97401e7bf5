"""A Kubernetes API over HTTP (kmock) with one worker Deployment, optimistic locking, and failures as a test orders."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from threading import Event, Thread
from typing import Any

import kmock

NAMESPACE, NAME = "signals", "credit-signals-section-reader"
PLACE = f"{NAMESPACE}/{NAME}"
DEPLOYMENTS = kmock.resource("apps", "v1", "deployments")
SCALED_OBJECTS = kmock.resource("keda.sh", "v1alpha1", "scaledobjects")
AUTOSCALERS = kmock.resource("autoscaling", "v2", "horizontalpodautoscalers")
GET, PATCH = "get deployments/scale", "patch deployments/scale"
NO_ANSWER = 0
VERBS = {kmock.action.FETCH: "get", kmock.action.LIST: "list", kmock.action.UPDATE: "patch"}


class _Api(kmock.KubernetesEmulator):
    """The emulator; `_handle` is where every request passes, and what it raises is answered as a Status."""

    cluster: Cluster

    async def _handle(self, request: kmock.Request) -> Any:
        resource, sub = request.resource, f"/{request.subresource}" if request.subresource else ""
        verb = VERBS[request.action]
        what = f"{verb} {resource.plural}{sub}"
        self.cluster.asked.append(what)
        status = next(self.cluster.failures.get(what, iter(())), 200)
        if status == NO_ANSWER:
            await self.cluster.ended.wait()
        if status != 200:
            raise kmock.KubernetesError(status=status, reason="Ordered", message=f"ordered by the test: {status}")
        if what == PATCH:
            return await self._patch(request)
        return await super()._handle(request)

    async def _patch(self, request: kmock.Request) -> Any:
        found = self.objects[DEPLOYMENTS, request.namespace, request.name]
        present = found["metadata"]["resourceVersion"]
        assert request.headers["Content-Type"] == "application/merge-patch+json"
        if request.data["metadata"].get("resourceVersion", present) != present:
            raise kmock.KubernetesError(status=409, reason="Conflict", message="the object has been modified")
        request.data["metadata"]["resourceVersion"] = str(int(present) + 1)
        self.cluster.wishes.append(request.data["spec"]["replicas"])
        request.data["status"] = {"replicas": request.data["spec"]["replicas"]}  # the Deployment's controller
        return await super()._handle(request)


class Cluster:
    """What a test sees and orders. `asked`: verb and resource of each request; `wishes`: replicas that were set."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.wishes: list[int] = []
        self.failures: dict[str, Iterator[int]] = {}
        self.kubeconfig = folder / "kubeconfig"
        self.api = _Api(strict=False)
        self.api.cluster = self
        self.api.resources[AUTOSCALERS] = {"namespaced": True}
        self.ended: asyncio.Event
        self.add_deployment(1)

    def add_deployment(self, replicas: int, name: str = NAME) -> None:
        """A Deployment whose pods have all started."""
        self.api.objects[DEPLOYMENTS, NAMESPACE, name] = {
            "metadata": {"name": name, "namespace": NAMESPACE, "resourceVersion": "1"},
            "spec": {"replicas": replicas},
            "status": {"replicas": replicas},
        }

    def add_scaled_object(self, target: dict[str, str]) -> None:
        """KEDA is installed, and scales what `target` says."""
        self.api.resources[SCALED_OBJECTS] = {"namespaced": True}
        self.api.objects[SCALED_OBJECTS, NAMESPACE, "by-lag"] = {
            "metadata": {"name": "by-lag", "namespace": NAMESPACE},
            "spec": {"scaleTargetRef": target},
        }

    def add_autoscaler(self, target: str, kind: str = "Deployment") -> None:
        """A HorizontalPodAutoscaler of a target."""
        self.api.objects[AUTOSCALERS, NAMESPACE, "by-backlog"] = {
            "metadata": {"name": "by-backlog", "namespace": NAMESPACE},
            "spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": kind, "name": target, "apiVersion": "apps/v1"}},
        }

    @property
    def replicas(self) -> int:
        """What the Deployment is asked for."""
        return int(self.api.objects[DEPLOYMENTS, NAMESPACE, NAME]["spec"]["replicas"])

    def fail(self, what: str, statuses: Iterable[int] | int) -> None:
        """Answer the next requests of a kind with these statuses; a single one for ever; NO_ANSWER: never answer."""
        self.failures[what] = repeat(statuses) if isinstance(statuses, int) else iter(statuses)

    @contextmanager
    def served(self) -> Iterator[Cluster]:
        """The API on a port of loopback, in a thread of its own, with a kubeconfig that leads there."""
        ready, loops = Event(), []

        async def serve() -> None:
            self.ended = asyncio.Event()
            async with self.api, kmock.Server(self.api, host="127.0.0.1") as server:
                self.kubeconfig.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{server.port}")))
                loops.append(asyncio.get_running_loop())
                ready.set()
                await self.ended.wait()

        thread = Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert ready.wait(30)
        try:
            yield self
        finally:
            loops[0].call_soon_threadsafe(self.ended.set)
            thread.join(30)


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
