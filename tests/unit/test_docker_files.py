"""The images' files: what can be checked without building any."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
WORKER = (DOCKER / "worker.Dockerfile").read_text()
AIRFLOW = (DOCKER / "airflow.Dockerfile").read_text()
VARIABLES = ["AIRFLOW_API_SECRET_KEY", "AIRFLOW_FERNET_KEY", "AIRFLOW_JWT_SECRET", "POSTGRES_PASSWORD"]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the compose file."""
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return found


def test_the_last_stage_has_no_compiler_and_no_rights() -> None:
    """Packages are installed in the first stage only; the second runs as a user that a cluster can check by number."""
    first, last = WORKER.split("\nFROM ")[1:]
    assert "apt-get" in first
    assert not re.search(r"apt-get|pip|g\+\+", last)
    assert "\nUSER 10001:10001\n" in last
    assert "\nUSER airflow\n" in AIRFLOW
    assert AIRFLOW.rindex("\nUSER airflow\n") > AIRFLOW.rindex("\nUSER root\n")


@pytest.mark.parametrize("text", [WORKER, AIRFLOW], ids=["worker", "airflow"])
def test_labels_tell_where_an_image_comes_from(text: str) -> None:
    """Source, version, revision and licence, by the names of the Open Containers Initiative."""
    for label in ("title", "version", "source", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in text


def test_versions_are_those_of_the_lock_and_of_run() -> None:
    """What is named twice is named alike: llama.cpp's package with its hash, Airflow, uv, the project's version."""
    lock = (ROOT / "requirements.lock").read_text()
    pinned = "\n".join((DOCKER / "llama.txt").read_text().splitlines()[1:])
    assert pinned in lock
    airflow = re.search(r"^apache-airflow==(\S+)", lock, re.MULTILINE)
    assert airflow is not None
    assert f"apache/airflow:{airflow[1]}-python" in AIRFLOW
    uv = re.search(r"^UV_VERSION=(\S+)$", (ROOT / "run").read_text(), re.MULTILINE)
    version = re.search(r'^version = "(\S+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert uv is not None
    assert version is not None
    for text in (WORKER, AIRFLOW):
        assert f"ARG UV_VERSION={uv[1]}\n" in text
        assert f"ARG VERSION={version[1]}\n" in text


def test_no_package_shadows_pypis_docker() -> None:
    """A docker/__init__.py would be imported in place of the client library."""
    assert not list(DOCKER.rglob("__init__.py"))


def test_the_build_context_is_a_list_of_what_is_taken() -> None:
    """Nothing gets into an image by lying around: no data, no virtual environment, no .env."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    taken = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert all(list(ROOT.glob(each)) for each in taken)
    assert not any(each.startswith((".", "tests")) for each in taken)


def test_the_compose_file_is_one() -> None:
    """It fits the schema of the Compose Specification."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, DOCKER / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_loopback_is_published(services: dict[str, Any]) -> None:
    """What a laptop runs is for its owner alone."""
    published = [port for each in services.values() for port in each.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_workers_may_write_nowhere_but_to_memory(services: dict[str, Any]) -> None:
    """The worker's image runs as in a cluster: read-only, without capabilities, with time to finish its batch."""
    for name in ("worker", "results", "migrate"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "volumes" not in service
    assert services["worker"]["stop_grace_period"] == "120s"


def test_every_lasting_service_tells_its_health(services: dict[str, Any]) -> None:
    """Compose can wait for a service, and shows which one is ill."""
    lasting = {name for name, each in services.items() if each.get("restart", "no") != "no"}
    assert {name for name, each in services.items() if "healthcheck" in each} == lasting | {"redis", "postgres"}


def test_passwords_are_made_not_written(tmp_path: Path) -> None:
    """The compose file names variables and fails without them; the script draws each anew and keeps what is there."""
    text = (DOCKER / "compose.yaml").read_text()
    assert sorted(set(re.findall(r"\$\{(\w+):\?", text))) == VARIABLES
    script = tmp_path / "make_env.sh"
    script.write_text((DOCKER / "make_env.sh").read_text())
    subprocess.run(["sh", script], check=True, capture_output=True)
    made = (tmp_path / ".env").read_text()
    values = dict(line.split("=", 1) for line in made.splitlines())
    assert sorted(values) == VARIABLES
    assert len(set(values.values())) == len(values)
    assert all(len(value) >= 44 for value in values.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    subprocess.run(["sh", script], check=True, capture_output=True)
    assert (tmp_path / ".env").read_text() == made
