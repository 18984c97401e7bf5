"""What Amazon MWAA takes: requirements, constraints, DAG files, plugins.zip, startup script. See docs/mwaa.md.

MWAA installs with pip and has no compiler, and no task of the DAGs loads a model: llama-cpp-python is left out. The
library travels as a wheel in plugins.zip, without requirements of its own; requirements.txt names them instead, so
that Airflow's constraints can decide on what Airflow has too. Equal sources give equal bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from credit_signals.cli.mwaa_pins import Difference, join_pins, read_pins
from credit_signals.errors import ConfigurationError

HOME = "/usr/local/airflow"  # of every MWAA environment
LEFT_OUT = {"llama-cpp-python"}
EXTRAS = ("cluster",)
DAGS = ("crawl_companies", "keep_house")  # fine_tune trains, which is no work for MWAA's workers
READER_FILES = ("*.toml", "questions/*.toml", "questions_short/*.toml")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip archive can tell


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is built from which sources. `secrets` is what the names of the two secrets begin with."""

    project: Path
    constraints: Path
    secrets: str = "credit-signals/"
    python: str = "3.12"


@dataclass(frozen=True, slots=True)
class Built:
    """The files, by path below the folder, and what a person should know."""

    files: Mapping[str, bytes]
    differences: Sequence[Difference]

    def write(self, folder: Path) -> Iterator[tuple[str, int, str]]:
        """Write the files; path, bytes and SHA-256 of each. Raises OSError."""
        for name, content in sorted(self.files.items()):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            yield name, len(content), hashlib.sha256(content).hexdigest()


def build(wanted: Wanted) -> Built:
    """All files. Raises ConfigurationError where the sources or the constraints are not what they must be."""
    about = _about(wanted.project)
    held = read_pins(_text(wanted.constraints), wanted.python)
    if "apache-airflow-core" not in held:
        raise ConfigurationError(f"{wanted.constraints}: no constraints of Airflow 3: no apache-airflow-core in them")
    asked = _asked(about)
    locked = read_pins(_text(wanted.project / "requirements.lock"), wanted.python)
    pins, differences = join_pins(held, {name: pin for name, pin in locked.items() if name not in LEFT_OUT}, asked)
    unpinned = sorted(asked.keys() - pins.keys())
    if unpinned:
        raise ConfigurationError(f"requirements.lock pins no {unpinned[0]}: it is older than pyproject.toml")
    version = f"{about['version']}+mwaa"
    files = {
        "dags/constraints.txt": "".join(f"{name}=={pin}\n" for name, pin in sorted(pins.items())).encode(),
        "requirements.txt": _requirements(asked.values(), version),
        "plugins.zip": _plugins(wanted.project, version),
        "startup.sh": _startup(wanted.secrets),
    }
    files |= {f"dags/{name}.py": _bytes(wanted.project / "dags" / f"{name}.py") for name in DAGS}
    return Built(files, differences)


# --- requirements


def _about(project: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = tomllib.loads(_text(project / "pyproject.toml"))["project"]
    except (tomllib.TOMLDecodeError, KeyError) as exc:
        raise ConfigurationError(f"{project}: its pyproject.toml is not that of the project") from exc
    return about


def _asked(about: Mapping[str, Any]) -> dict[str, Requirement]:
    lines = [*about["dependencies"], *(line for extra in EXTRAS for line in about["optional-dependencies"][extra])]
    asked = {canonicalize_name(each.name): each for each in map(Requirement, lines)}
    return {name: asked[name] for name in sorted(asked) if name not in LEFT_OUT}


def _requirements(asked: Iterable[Requirement], version: str) -> bytes:
    """Names only: the constraints hold the versions."""
    names = [each.name + (f"[{','.join(sorted(each.extras))}]" if each.extras else "") for each in asked]
    lines = [f'--constraint "{HOME}/dags/constraints.txt"', f"--find-links {HOME}/plugins"]
    return "\n".join([*lines, f"credit-signals=={version}", *names, ""]).encode()


# --- plugins.zip


def _plugins(project: Path, version: str) -> bytes:
    """Modules that DAG files import, the manifests that tell a reader's id, and the library as a wheel."""
    members = {path.name: _bytes(path) for path in (project / "dags" / "plugins").glob("*.py")}
    reader = project / "workers" / "section_reader"
    for path in (path for pattern in READER_FILES for path in reader.glob(pattern)):
        members[path.relative_to(project).as_posix()] = _bytes(path)
    members[f"credit_signals-{version}-py3-none-any.whl"] = _wheel(project / "src" / "credit_signals", version)
    return _zipped(members)


def _wheel(package: Path, version: str) -> bytes:
    members = {
        path.relative_to(package.parent).as_posix(): _bytes(path)
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if not members:
        raise ConfigurationError(f"{package}: the library's sources are not there")
    info = f"credit_signals-{version}.dist-info"
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: credit-signals\nVersion: {version}\n".encode()
    members[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: credit-signals\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in sorted(members.items())]
    members[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    return _zipped(members)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zipped(members: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in sorted(members.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return written.getvalue()


# --- startup.sh


def _startup(secrets: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@-]+", secrets):
        raise ConfigurationError(f"{secrets!r} cannot begin the name of a secret")
    return f"""#!/bin/bash
# Settings of credit-signals. The two URLs hold passwords: they come from AWS Secrets Manager, and are not shown.
export CREDIT_SIGNALS_READER={HOME}/plugins/workers/section_reader/encoder.toml
export CREDIT_SIGNALS_DATA_DIR=/tmp/credit-signals
secret() {{
    python3 -c 'import boto3, sys
print(boto3.client("secretsmanager").get_secret_value(SecretId=sys.argv[1])["SecretString"])' "$1"
}}
if [ "$MWAA_AIRFLOW_COMPONENT" != webserver ]; then
    CREDIT_SIGNALS_STORE_URL=$(secret {secrets}store-url) || exit 1
    CREDIT_SIGNALS_REDIS_URL=$(secret {secrets}redis-url) || exit 1
    export CREDIT_SIGNALS_STORE_URL CREDIT_SIGNALS_REDIS_URL
fi
""".encode()


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"{path}: cannot be read: {exc.strerror}") from exc
