"""Every case of ci/ is taken by both helms, and every object by the API servers that it may meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from helm_chart import CASES, CHART, VERSIONS, Rendered, run_helm, values_of

SCHEMAS = {path.stem: json.loads(path.read_text()) for path in Path(__file__).with_name("schemas").glob("*.json")}
KUBERNETES = ("1.27", "1.34", "1.37")  # the oldest that Chart.yaml takes, one in between, the newest schema
Case = Callable[..., Rendered]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CASES)
def test_lint_finds_nothing(name: str, version: str) -> None:
    """Each case passes `helm lint --strict`."""
    done = run_helm(version, "lint", "--strict", str(CHART), "--values", str(values_of(name)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("name", [name for name in CASES if name not in {"trial", "everything"}])
def test_both_helms_make_the_same(name: str, case: Case) -> None:
    """What is installed does not depend on the helm that installs it (cases with random passwords apart)."""
    old, new = (sorted(case(name, version).objects, key=str) for version in VERSIONS)
    assert old == new


def without_passwords(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All but the Secret whose passwords are drawn."""
    return sorted((each for each in objects if each["kind"] != "Secret"), key=str)


@pytest.mark.parametrize("name", ["trial", "everything"])
def test_both_helms_make_the_same_but_for_passwords(name: str, case: Case) -> None:
    """With a trial's random passwords, all else is the same."""
    old, new = (without_passwords(case(name, version).objects) for version in VERSIONS)
    assert old == new


@pytest.fixture(scope="session")
def every_object(case: Case) -> list[dict[str, Any]]:
    """The objects of all cases, equal ones once."""
    found = {json.dumps(each, sort_keys=True): each for name in CASES for each in case(name).objects}
    return list(found.values())


@pytest.mark.parametrize("kubernetes", KUBERNETES)
def test_every_object_is_valid(
    kubernetes: str, every_object: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No object has a field that Kubernetes does not know, or lacks one that it needs."""
    parsed = cache(kubernetes_validate.utils.schema_contents)  # else a megabyte is parsed for each object
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", parsed)
    for each in every_object:
        if each["kind"] not in SCHEMAS:
            kubernetes_validate.validate(each, kubernetes, strict=True)


def test_every_custom_object_is_valid(every_object: list[dict[str, Any]]) -> None:
    """Objects of KEDA, Prometheus Operator and External Secrets follow their published schemas."""
    seen = set()
    for each in every_object:
        if each["kind"] in SCHEMAS:
            jsonschema.validate(each, SCHEMAS[each["kind"]])
            seen.add(each["kind"])
    assert seen == set(SCHEMAS)


@pytest.mark.parametrize("name", CASES)
def test_no_two_objects_share_a_name(name: str, case: Case) -> None:
    """Two objects of one kind and name would overwrite each other."""
    names = [(each["kind"], each["metadata"]["name"]) for each in case(name).objects]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", CASES)
def test_objects_bear_the_recommended_labels(name: str, case: Case) -> None:
    """Every object, and every pod, tells which release, version and part it belongs to."""
    rendered = case(name)
    for where, labels in [
        *((each["metadata"]["name"], each["metadata"]["labels"]) for each in rendered.objects),
        *((name, pod["metadata"]["labels"]) for name, pod in rendered.pods()),
    ]:
        parts = ("name", "instance", "component", "part-of", "managed-by", "version")
        assert {"helm.sh/chart", *(f"app.kubernetes.io/{part}" for part in parts)} <= labels.keys(), where


def test_one_object_per_template() -> None:
    """A template makes one kind of object, once, or once for each kind of worker."""
    for path in (CHART / "templates").rglob("*.yaml"):
        assert path.read_text().count("\nkind: ") == 1, path
