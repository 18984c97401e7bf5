"""A worker Deployment on a real cluster: the only module that imports `kubernetes`, and only when it is asked.

What the Role must grant in the namespace: get and patch on deployments/scale of this name, list on
scaledobjects.keda.sh and on horizontalpodautoscalers.autoscaling.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from credit_signals.errors import (
    ClusterUnavailable,
    ConfigurationError,
    ScaleConflict,
    ScalingError,
    ScalingRefused,
)
from credit_signals.scaling.base import Replicas

ATTEMPTS = 5  # at a patch, each with a fresh read
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
FORBIDDEN, NOT_FOUND, CONFLICT, GONE, TOO_MANY, SERVER_ERROR = 403, 404, 409, 410, 429, 500
MERGE_PATCH = "application/merge-patch+json"
NAME = "[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"


class _NotFound(ScalingRefused):
    """The cluster does not know the Deployment, or the kind that was asked for."""


class KubernetesDeployment:
    """The Deployment `namespace/name`; nothing connects before the first call, and every call ends in time.

    `kubeconfig`: path of a kubeconfig whose present context is used; without one the pod's service account.
    Raises ConfigurationError for a place that names no Deployment, and at the first call where no cluster is found.
    """

    def __init__(self, place: str, kubeconfig: str = "") -> None:
        if not re.fullmatch(f"{NAME}/{NAME}", place):
            raise ConfigurationError(f"{place!r} names no Deployment: give namespace/name")
        self.place = place
        self._namespace, self._name = place.split("/")
        self._kubeconfig = kubeconfig
        self._opened: Any = None

    def replicas(self) -> Replicas:
        """What the scale subresource says."""
        scale = self._read()
        return Replicas(scale.spec.replicas or 0, scale.status.replicas or 0)

    def scale(self, wished: int) -> None:
        """Patch the scale subresource as it was read just now; where it changed meanwhile, read and try again."""
        for attempt in range(1, ATTEMPTS + 1):
            body = {
                "metadata": {"resourceVersion": self._read().metadata.resource_version},
                "spec": {"replicas": wished},
            }
            try:
                self._ask(
                    "patch deployments/scale",
                    self._client().AppsV1Api(self._opened).patch_namespaced_deployment_scale,
                    self._name,
                    self._namespace,
                    body,
                    _content_type=MERGE_PATCH,
                )
            except ScaleConflict:
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def owner(self) -> str:
        """The ScaledObject or HorizontalPodAutoscaler that targets the Deployment; empty when there is none.

        Where listing them is forbidden nobody can know: ScalingRefused is raised.
        """
        client = self._client()
        for item in self._scaled_objects(client.CustomObjectsApi(self._opened)):
            target = item.get("spec", {}).get("scaleTargetRef", {})
            if self._is_me(target.get("kind") or "Deployment", target.get("name")):
                return f"KEDA's ScaledObject {item['metadata']['name']}"
        autoscalers = client.AutoscalingV2Api(self._opened).list_namespaced_horizontal_pod_autoscaler
        for each in self._ask("list horizontalpodautoscalers.autoscaling", autoscalers, self._namespace).items:
            if self._is_me(each.spec.scale_target_ref.kind, each.spec.scale_target_ref.name):
                return f"HorizontalPodAutoscaler {each.metadata.name}"
        return ""

    def _scaled_objects(self, api: Any) -> list[dict[str, Any]]:
        listed = api.list_namespaced_custom_object
        try:
            answer = self._ask(
                "list scaledobjects.keda.sh", listed, "keda.sh", "v1alpha1", self._namespace, "scaledobjects"
            )
        except _NotFound:  # a cluster without KEDA does not know the kind
            return []
        return list(answer["items"])

    def _is_me(self, kind: str, name: str | None) -> bool:
        return (kind, name) == ("Deployment", self._name)

    def _read(self) -> Any:
        api = self._client().AppsV1Api(self._opened)
        return self._ask("get deployments/scale", api.read_namespaced_deployment_scale, self._name, self._namespace)

    def _client(self) -> Any:
        """The module kubernetes.client, with `_opened` an ApiClient of it."""
        try:
            from kubernetes import client, config  # noqa: PLC0415  # half a second, and workers have no such package
        except ImportError as error:
            raise ConfigurationError(
                f"scaling {self.place} needs the package `kubernetes`: install credit-signals[cluster]"
            ) from error
        if self._opened is None:
            from yaml import YAMLError  # noqa: PLC0415  # it comes with kubernetes

            settings = client.Configuration()
            try:
                if self._kubeconfig:
                    file = str(Path(self._kubeconfig).expanduser())
                    config.load_kube_config(config_file=file, client_configuration=settings)
                else:
                    config.load_incluster_config(client_configuration=settings)
            except (config.ConfigException, OSError, ValueError, YAMLError) as error:
                where = self._kubeconfig or "the service account of this pod"
                raise ConfigurationError(f"{self.place}: {where} leads to no cluster: {error}") from error
            settings.retries = 0  # who asks decides when to ask again
            self._opened = client.ApiClient(settings)
        return client

    def _ask(self, what: str, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        """Make one call of the API in bounded time; its errors as ours."""
        from kubernetes.client import ApiException  # noqa: PLC0415  # as above
        from urllib3.exceptions import HTTPError  # noqa: PLC0415  # it comes with kubernetes

        try:
            return call(*args, **more, _request_timeout=(CONNECT_SECONDS, ANSWER_SECONDS))
        except ApiException as error:
            raise self._refusal(what, error.status or 0, _reason(error.body) or str(error.reason)) from error
        except (HTTPError, OSError) as error:
            raise ClusterUnavailable(f"{self.place}: {what}: the cluster does not answer: {error}") from error

    def _refusal(self, what: str, status: int, reason: str) -> ScalingError:
        about = f"{self.place}: {what}: {status} {reason}"
        if status == FORBIDDEN:
            verb, resource = what.split()
            return ScalingRefused(f"{about}; grant the verb {verb} on {resource} to this service account")
        if status == NOT_FOUND:
            return _NotFound(f"{about}; is the chart installed there, and is the name right?")
        if status == CONFLICT:
            return ScaleConflict(f"{about}; others changed it {ATTEMPTS} times while it was scaled")
        if status == GONE:
            return ScalingRefused(f"{about}; the cluster serves this API no longer")
        if status == TOO_MANY or status >= SERVER_ERROR or not status:
            return ClusterUnavailable(about)
        return ScalingRefused(about)


def _reason(body: Any) -> str:
    """The message of a Status that the API server answered with."""
    try:
        return str(json.loads(body)["message"])[:300]
    except (TypeError, ValueError, KeyError):
        return ""
