"""Values: unknown and dangerous ones are refused, all are described."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from helm_binaries import ROOT
from helm_chart import CHART, Refused, render

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
SECRET: dict[str, Any] = {"secrets": {"existingSecret": "x"}}


def objects_of(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of an object with named properties."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield path, schema
        for name, part in schema.items():
            yield from objects_of(part, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from objects_of(part, f"{path}/{number}")


def test_the_schema_is_closed_at_every_level() -> None:
    """A misspelt value is an error at any depth."""
    assert "draft-07" in SCHEMA["$schema"]
    found = list(objects_of(SCHEMA))
    assert len(found) > 40
    assert [path for path, schema in found if schema.get("additionalProperties") is not False] == []


@pytest.mark.parametrize("version", ["3.17", "4.1"])
def test_a_misspelt_value_is_refused(version: str) -> None:
    """Helm names the value that the chart does not know."""
    with pytest.raises(Refused, match="replica"):
        render({**SECRET, "workers": {"section-reader": {"replica": 3}}}, version)


@pytest.mark.parametrize(
    "values",
    [
        {"secrets": {"existingSecret": "x", "redisPassword": "hunter2"}},
        {**SECRET, "redis": {"address": "redis://:hunter2@redis:6379"}},
        {**SECRET, "tracing": {"enabled": True, "endpoint": "http://user:hunter2@collector:4318"}},
        {**SECRET, "workerDefaults": {"extraEnv": [{"name": "CREDIT_SIGNALS_REDIS_URL", "value": "redis://r"}]}},
        {**SECRET, "workerDefaults": {"extraEnv": [{"name": "PROXY", "value": "http://user:hunter2@proxy:1"}]}},
        {**SECRET, "workers": {"section-reader": {"extraEnv": [{"name": "SOME_TOKEN", "value": "hunter2"}]}}},
        {**SECRET, "model": {"delivery": "fetch", "fetch": {"url": "https://u:hunter2@h/r.toml", "sha256": "0" * 64}}},
    ],
)
def test_passwords_in_values_are_refused(values: dict[str, Any]) -> None:
    """A password in values would lie in the release, in version control and in logs."""
    with pytest.raises(Refused):
        render(values)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "exactly one of"),
        ({"secrets": {"existingSecret": "x"}, "trial": {"enabled": True}}, "exactly one of"),
        ({**SECRET, "model": {"delivery": "fetch"}}, "model"),
        ({**SECRET, "model": {"delivery": "pvc"}}, "model"),
        ({**SECRET, "model": {"delivery": "fetch", "fetch": {"url": "ftp://h/r.toml", "sha256": "0" * 64}}}, "url"),
        ({**SECRET, "workers": {"results": {}}}, "results"),
        ({**SECRET, "image": {"digest": "sha256:abc"}}, "digest"),
        ({"secrets": {"externalSecret": {"enabled": True, "storeName": "aws"}}}, r"externalSecret\.data"),
        ({**SECRET, "resultsPage": {"ingress": {"enabled": True}}}, r"ingress\.host"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], why: str) -> None:
    """What would fail in the cluster is said before anything is installed."""
    with pytest.raises(Refused, match=why):
        render(values)


def described(text: str) -> set[str]:
    """Dotted names of values under a `# --` comment."""
    found, path, pending = set(), [], False
    for line in text.splitlines():
        stripped = line.strip()
        depth = (len(line) - len(line.lstrip())) // 2
        if stripped.startswith("# --"):
            pending = True
        elif stripped and not stripped.startswith(("#", "-")) and ":" in stripped:
            path = [*path[:depth], stripped.partition(":")[0]]
            if pending:
                found.add(".".join(path))
            pending = False
    return found


def leaves(values: Any, path: str = "") -> Iterator[str]:
    """Dotted names of the values that are no object, or an empty one."""
    if isinstance(values, dict) and values:
        for name, value in values.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path


def test_every_value_is_described() -> None:
    """Each value, or the object that it is part of, bears a `# --` comment."""
    text = (CHART / "values.yaml").read_text()
    known = described(text)
    undescribed = [
        leaf
        for leaf in leaves(yaml.safe_load(text))
        if not any(leaf == name or leaf.startswith(f"{name}.") for name in known)
    ]
    assert undescribed == []


def test_the_readme_is_current() -> None:
    """The table of values in the README is what the generator makes of values.yaml."""
    command = [sys.executable, ROOT / "helm" / "describe_values.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def blocks_of_values() -> list[str]:
    """The YAML in the README that is values of the chart."""
    text = (CHART / "README.md").read_text().replace("sha256:...", f"sha256:{'0' * 64}")
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    parsed = [yaml.safe_load(textwrap.dedent(block)) for _, block in blocks]
    return [yaml.safe_dump(block) for block in parsed if block.keys() <= SCHEMA["properties"].keys()]


@pytest.mark.parametrize("block", blocks_of_values())
def test_the_readmes_values_are_taken(block: str) -> None:
    """Values that the README shows can be given as they stand."""
    assert render(yaml.safe_load(block)).all("Deployment")


def test_the_readme_shows_values() -> None:
    """The blocks above are found."""
    assert len(blocks_of_values()) == 2


def test_the_readmes_links_lead_somewhere() -> None:
    """Files and headings that the README links to are there."""
    text = (CHART / "README.md").read_text()
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        place, _, anchor = link.partition("#")
        assert (CHART / place).exists(), link
        assert not anchor or anchor in headings, link
    for named in re.findall(r"`((?:ci|helm|docker|dags)/[\w./-]+)`", text):
        assert (CHART / named).exists() or (ROOT / named).exists(), named


def unknown_to_schema(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Values that the schema lets through only by saying nothing of them, and names of the schema without a value."""
    properties = schema.get("properties", {})
    for name in properties.keys() ^ values.keys():
        yield f"{path}{name}"
    for name in properties.keys() & values.keys():
        if "properties" in properties[name]:
            yield from unknown_to_schema(values[name], properties[name], f"{path}{name}.")


def test_schema_and_values_name_the_same() -> None:
    """Every value has its type in the schema, and the schema allows no value that the chart has not."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(unknown_to_schema(values, SCHEMA)) == {
        "global",  # a parent chart's
        "secrets.externalSecret.data.redisUrl",  # one for each key that is used
        "secrets.externalSecret.data.storeUrl",
        "secrets.externalSecret.data.redisPassword",
        "secrets.externalSecret.data.redisUsername",
    }
