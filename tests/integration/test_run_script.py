"""`./run` on machines that lack something: one sentence, exit code 2. Nothing is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["bash", "cat", "cut", "dirname", "env", "grep", "mkdir", "readlink", "rm", "sed", "sha256sum", "tr"]
NOWHERE = "http://127.0.0.1:9"
UV = """#!/bin/sh
case "$1 $2" in
    --version*) sed -n 's/^UV_VERSION=/uv /p' {run} ;;
    venv*) mkdir -p .venv/bin ;;
    "pip $FAILS") echo 'error: Failed to fetch' >&2; exit 2 ;;
    "pip install")
        printf '#!/bin/sh\\necho ran "$@" in "$PWD"\\n' >.venv/bin/credit-signals
        chmod +x .venv/bin/credit-signals ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A copy of what `run` reads, in a path with spaces, and a PATH with just what is given."""

    project: Path
    tools: Path

    def has(self, name: str, target: str | Path) -> None:
        """Put a program on the PATH."""
        (self.tools / name).symlink_to(target)

    def has_script(self, path: Path, text: str) -> None:
        """Put a script somewhere."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *arguments: str, script: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        """`./run`, called from another folder."""
        environment = {
            "PATH": str(self.tools),
            "HOME": str(self.project.parent),
            "PIP_INDEX_URL": NOWHERE,
            "PIP_CONFIG_FILE": os.devnull,
            "UV_DEFAULT_INDEX": NOWHERE,
            "UV_NO_CONFIG": "1",
            **more,
        }
        command = [str(script or self.project / "run"), *arguments]
        return subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
        )

    def refusal(self, **more: str) -> str:
        """The sentence with which `run` ends."""
        done = self.run("doctor", **more)
        assert (done.returncode, done.stdout) == (2, "")
        lines = [line for line in done.stderr.splitlines() if "making the environment" not in line]
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("run: ")
        return lines[0]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with neither Python nor compiler."""
    made = Machine(tmp_path / "a path with spaces", tmp_path / "bin")
    made.project.mkdir()
    made.tools.mkdir()
    for name in ("run", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, made.project)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        made.has(tool, found)
    return made


@pytest.fixture
def equipped(machine: Machine) -> Machine:
    """A machine with a fitting Python, called by its version only, and something that goes for a compiler."""
    machine.has(f"python3.{sys.version_info.minor}", Path(sys.executable).resolve())
    machine.has("c++", shutil.which("true") or "/bin/true")
    return machine


def test_help_needs_nothing(machine: Machine) -> None:
    """`./run --help` teaches on a bare machine, from any folder and through a symlink."""
    machine.has("signals", machine.project / "run")
    for done in (machine.run("--help"), machine.run(), machine.run("-h", script=machine.tools / "signals")):
        assert done.returncode == 0
        assert "./run demo" in done.stdout
        assert "./run test" in done.stdout
        assert done.stderr == ""


def test_no_python(machine: Machine) -> None:
    """Without Python the sentence names the versions that do."""
    assert "Python 3.11, 3.12 or 3.13 is needed, and found none" in machine.refusal()


def test_a_wrong_python(machine: Machine) -> None:
    """An old Python is named with its version."""
    old = '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n'
    machine.has_script(machine.tools / "python3", old)
    assert "is needed, and found Python 3.9.2" in machine.refusal()


def test_no_compiler(machine: Machine) -> None:
    """Without a C++ compiler nothing is begun."""
    machine.has("python3", Path(sys.executable).resolve())
    assert "a C++ compiler is needed" in machine.refusal()
    assert not (machine.project / ".uv").exists()


def test_no_network(equipped: Machine) -> None:
    """Without a network the sentence names it, again at the next start, and nothing is taken for whole."""
    for _ in range(2):
        assert "the first run needs a network" in equipped.refusal()
        assert not (equipped.project / ".venv").exists()


@pytest.mark.parametrize("step", ["sync", "install"])
def test_an_installation_that_broke_off_is_done_again(equipped: Machine, step: str) -> None:
    """A half-made environment bears no stamp, whatever stood there before; the next start makes it whole."""
    uv, stamp = equipped.project / ".uv" / "bin" / "uv", equipped.project / ".venv" / ".made-from"
    equipped.has("chmod", shutil.which("chmod") or "/bin/chmod")
    equipped.has_script(uv, UV.format(run=f"'{equipped.project / 'run'}'"))
    stamp.parent.mkdir()
    stamp.write_text("an older lock")
    assert "is there a network?" in equipped.refusal(FAILS=step)
    assert "Failed to fetch" in (equipped.project / ".uv" / "log").read_text()
    assert not stamp.exists()
    done = equipped.run("score", "--run", "with spaces")
    assert (done.returncode, done.stdout) == (0, "ran score --run with spaces in /\n")
    assert stamp.exists()
    again = equipped.run("score")
    assert (again.stdout, again.stderr) == ("ran score in /\n", "")
