"""A base image of this machine's own, under the name that a Dockerfile asks for: where no registry can be reached.

Debian's packages as the official slim image has them, with the Python of the wanted version that this machine has at
/usr/local, and this machine's certificate authorities.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

DEBIAN = "trixie"
LIBRARIES = ["libssl3t64", "libffi8", "libsqlite3-0", "libbz2-1.0", "liblzma5", "libreadline8t64", "zlib1g", "libuuid1"]
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
UNUSED = ("site-packages", "test", "idlelib", "tkinter", "turtledemo", "__pycache__")


def python_home(version: str) -> Path | None:
    """The prefix of a Python of this version (such as 3.12) on this machine, or None."""
    usual = (".pyenv/versions", ".local/share/uv/python")
    candidates = [sys.executable, shutil.which(f"python{version}")]
    candidates += [str(path) for home in usual for path in Path.home().glob(f"{home}/*/bin/python{version}")]
    for candidate in filter(None, candidates):
        asked = "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", asked], capture_output=True, text=True, check=False)
        prefix, _, found = done.stdout.strip().rpartition(" ")
        if found == version and Path(prefix, "lib", f"python{version}").is_dir():
            return Path(prefix)
    return None


def make_base(name: str, python: Path, version: str, folder: Path) -> None:
    """Import the image `name` into podman's storage; `folder` is for what lies in between."""
    local = folder / "local"
    (local / "bin").mkdir(parents=True)
    shutil.copy2(python / "bin" / f"python{version}", local / "bin")
    for link in ("python3", "python"):
        (local / "bin" / link).symlink_to(f"python{version}")
    shutil.copytree(
        python / "lib", local / "lib", symlinks=True, ignore=shutil.ignore_patterns(*UNUSED), dirs_exist_ok=True
    )
    (local / "lib" / f"python{version}" / "site-packages").mkdir()
    hooks = [f"copy-in {local / 'bin'} {local / 'lib'} /usr/local", f"copy-in {AUTHORITIES} /etc/ssl/certs"]
    command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(['ca-certificates', *LIBRARIES])}"]
    command += [f"--customize-hook={hook}" for hook in hooks] + ['--customize-hook=chroot "$1" ldconfig']
    subprocess.run([*command, DEBIAN, folder / "base.tar"], check=True)
    changes = [f"--change=ENV {each}" for each in (f"PATH={PATH}", "LANG=C.UTF-8", f"PIP_CERT={AUTHORITIES}")]
    subprocess.run(["podman", "import", "--quiet", *changes, folder / "base.tar", name], check=True)
