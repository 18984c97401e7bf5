"""The worker's image, built from the Dockerfile as it is. Some 15 minutes the first time: only when asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from pods import podman, use_configuration
from stand_in import make_base, python_home

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "docker" / "worker.Dockerfile"
IMAGE = "localhost/credit-signals-worker:test"
TOOLS = ("podman", "mmdebstrap", "runc", "catatonit")


@pytest.fixture(scope="session")
def with_podman(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where images cannot be built, or nobody asked for them."""
    if os.environ.get("TEST_IMAGES") != "1":
        pytest.skip("builds images with podman, some 15 minutes the first time: set TEST_IMAGES=1")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, and on this machine: {', '.join(missing) or 'root'}")
    use_configuration(tmp_path_factory.mktemp("podman"))


@pytest.fixture(scope="session")
def base(with_podman: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stand-in under the name of the Dockerfile's base image."""
    found = re.search(r"^ARG PYTHON_IMAGE=(\S*python:([\d.]+)\S*)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert found
    name, version = found.groups()
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode:
        python = python_home(version)
        if python is None:
            pytest.skip(f"no Python {version} on this machine to put into a stand-in for {name}")
        make_base(name, python, version, tmp_path_factory.mktemp("base"))
    return name


@pytest.fixture(scope="session")
def image(base: str) -> str:
    """The worker's image."""
    began = time.monotonic()
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    arguments = ["--build-arg", f"REVISION={revision.strip()}", "--file", DOCKERFILE, "--tag", IMAGE]
    podman("build", "--pull=never", "--network", "host", *arguments, ROOT)
    print(f"\n{IMAGE}: built in {time.monotonic() - began:.0f} s")
    return IMAGE
