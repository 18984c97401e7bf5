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
    if not os.environ.get("TEST_IMAGES"):
        pytest.skip("builds the image with podman, some 15 minutes the first time: set TEST_IMAGES=1, or to an image")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, and on this machine: {', '.join(missing) or 'root'}")
    use_configuration(tmp_path_factory.mktemp("podman"))


@pytest.fixture(scope="session")
def image(with_podman: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The worker's image: the one that TEST_IMAGES names, or with TEST_IMAGES=1 a new one."""
    if os.environ["TEST_IMAGES"] != "1":
        return os.environ["TEST_IMAGES"]
    _have_base(tmp_path_factory.mktemp("base"))
    began = time.monotonic()
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    arguments = ["--build-arg", f"REVISION={revision.strip()}", "--file", DOCKERFILE, "--tag", IMAGE]
    podman("build", "--pull=never", "--network", "host", *arguments, ROOT)
    print(f"\n{IMAGE}: built in {time.monotonic() - began:.0f} s")
    return IMAGE


def _have_base(folder: Path) -> None:
    """A stand-in under the name of the Dockerfile's base image, unless one of this name is there."""
    found = re.search(r"^ARG PYTHON_IMAGE=(\S*python:([\d.]+)\S*)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert found
    name, version = found.groups()
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode:
        python = python_home(version)
        if python is None:
            pytest.skip(f"no Python {version} on this machine to put into a stand-in for {name}")
        make_base(name, python, version, folder)
