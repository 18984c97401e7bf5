"""Rendering the chart and asking questions of what comes out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from helm_binaries import ROOT, helm

CHART = ROOT / "helm" / "credit-signals"
CASES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
VERSIONS = ("3.17", "4.1")
RELEASE, NAMESPACE = "cs", "reading"
Object = dict[str, Any]


class Refused(Exception):
    """Helm refuses these values; the message is what it says."""


def values_of(case: str) -> Path:
    """The file of one case."""
    return CHART / "ci" / f"{case}-values.yaml"


def run_helm(version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm on the chart."""
    return subprocess.run([helm(version), *arguments], capture_output=True, text=True, timeout=60, check=False)


def render(values: Path | Mapping[str, Any] | None, version: str = "4.1") -> Rendered:
    """The objects that these values make. Raises Refused."""
    command = [helm(version), "template", RELEASE, CHART, "--namespace", NAMESPACE]
    if isinstance(values, Path):
        command += ["--values", values]
    given = yaml.safe_dump(dict(values)) if isinstance(values, Mapping) else None
    if given is not None:
        command += ["--values", "-"]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return Rendered([each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each])


@dataclass(frozen=True)
class Rendered:
    """All objects of one rendering."""

    objects: list[Object]

    def all(self, kind: str) -> list[Object]:
        """Those of one kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str = "") -> Object:
        """The one of this kind whose name ends so."""
        found = [each for each in self.all(kind) if each["metadata"]["name"].endswith(name)]
        assert len(found) == 1, (kind, name, [each["metadata"]["name"] for each in found])
        return found[0]

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Name, and `metadata` with `spec`, of every pod that comes of this rendering."""
        for each in self.objects:
            name = f"{each['kind']}/{each['metadata']['name']}"
            if each["kind"] in {"Deployment", "Job"}:
                yield name, each["spec"]["template"]
            elif each["kind"] == "Pod":
                yield name, each

    def containers(self) -> Iterator[tuple[str, Object]]:
        """Name and container, init containers too."""
        for name, pod in self.pods():
            for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
                yield f"{name}/{container['name']}", container


def selects(labels: Mapping[str, str], pod: Object) -> bool:
    """Whether a pod has all of these labels."""
    return labels.items() <= pod["metadata"]["labels"].items()
