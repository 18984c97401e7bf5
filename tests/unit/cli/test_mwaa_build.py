"""What is built for Amazon MWAA: Airflow's versions where it has any, no compiler needed, equal bytes each time."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from typer.testing import CliRunner

from credit_signals.cli.commands import app
from credit_signals.cli.mwaa_files import HOME, Wanted, build
from credit_signals.cli.mwaa_pins import join_pins, read_pins
from credit_signals.errors import ConfigurationError
from credit_signals.settings import PROJECT_ROOT

HELD = """# constraints as Airflow publishes them
apache-airflow-core==3.2.1
SQLAlchemy==2.0.49
urllib3==2.7.0
jinja2==3.1.6
"""


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    """The project under made-up constraints."""
    path = tmp_path / "constraints-3.12.txt"
    path.write_text(HELD)
    return Wanted(PROJECT_ROOT, path)


def test_equal_sources_give_equal_bytes(wanted: Wanted) -> None:
    """Who builds twice uploads nothing new; archives tell no time and no owner."""
    once, again = build(wanted), build(wanted)
    assert once.files == again.files
    with zipfile.ZipFile(io.BytesIO(once.files["plugins.zip"])) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_no_compiler_is_needed(wanted: Wanted) -> None:
    """No DAG task loads a model: llama-cpp-python is neither asked for nor pinned."""
    files = build(wanted).files
    assert not any(b"llama" in files[name] for name in ("requirements.txt", "dags/constraints.txt"))


def test_requirements_name_what_the_constraints_pin(wanted: Wanted) -> None:
    """MWAA asks for a constraint line, which names a file that travels with the DAGs; it pins every name asked for."""
    files = build(wanted).files
    first, second, own, *names = files["requirements.txt"].decode().splitlines()
    assert first == f'--constraint "{HOME}/dags/constraints.txt"'
    assert second == f"--find-links {HOME}/plugins"
    with zipfile.ZipFile(io.BytesIO(files["plugins.zip"])) as archive:
        assert f"{own.replace('credit-signals==', 'credit_signals-')}-py3-none-any.whl" in archive.namelist()
    pinned = read_pins(files["dags/constraints.txt"].decode(), "3.12")
    assert {Requirement(name).name for name in names} <= set(pinned)


def test_airflow_decides_on_what_it_has(wanted: Wanted) -> None:
    """Airflow's version stays, and is told where the project asks for a newer one; raised only for what we bring."""
    built = build(wanted)
    pinned = read_pins(built.files["dags/constraints.txt"].decode(), "3.12")
    assert (pinned["sqlalchemy"], pinned["jinja2"]) == ("2.0.49", "3.1.6")
    differences = {each.name: each for each in built.differences}
    assert differences["sqlalchemy"].taken == "2.0.49"
    assert differences["urllib3"].taken == pinned["urllib3"] != "2.7.0"
    assert differences["urllib3"].by in pinned
    assert "jinja2" not in differences


def test_the_wheel_holds_its_own_record_and_works(wanted: Wanted, tmp_path: Path) -> None:
    """The library is imported from the wheel as it is, with its data, and asks pip for nothing more."""
    with zipfile.ZipFile(io.BytesIO(build(wanted).files["plugins.zip"])) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".whl"))
        archive.extract(name, tmp_path)
    with zipfile.ZipFile(tmp_path / name) as wheel:
        (record,) = (each for each in wheel.namelist() if each.endswith("RECORD"))
        listed = [line.split(",")[0] for line in wheel.read(record).decode().splitlines()]
        assert sorted(listed) == wheel.namelist()
        (metadata,) = (each for each in wheel.namelist() if each.endswith("METADATA"))
        assert b"Requires-Dist" not in wheel.read(metadata)
        wheel.extractall(tmp_path / "site")
    code = (
        "import credit_signals.steps, credit_signals.scoring as s; s.load_weights(None); print(credit_signals.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith(str(tmp_path)), done.stderr


def test_the_startup_script_shows_no_secret(wanted: Wanted) -> None:
    """Passwords stay in AWS Secrets Manager: the script names secrets, fetches them, and is a sound script."""
    script = build(wanted).files["startup.sh"]
    assert b"credit-signals/store-url" in script
    assert b"postgresql://" not in script
    subprocess.run(["bash", "-n"], input=script, check=True)
    with pytest.raises(ConfigurationError, match="name of a secret"):
        build(Wanted(wanted.project, wanted.constraints, secrets="x; rm"))


def test_other_constraints_are_refused(tmp_path: Path) -> None:
    """A file that pins no Airflow is no file of Airflow's constraints."""
    path = tmp_path / "pins.txt"
    path.write_text("requests==2.32\n")
    with pytest.raises(ConfigurationError, match="no constraints of Airflow"):
        build(Wanted(PROJECT_ROOT, path))


def test_the_command_lists_files_with_their_hashes(wanted: Wanted, tmp_path: Path) -> None:
    """What is printed can be checked by sha256sum."""
    out = tmp_path / "mwaa"
    done = CliRunner().invoke(app, ["mwaa", "build", "--out", str(out), "--constraints", str(wanted.constraints)])
    assert done.exit_code == 0, done.output
    listed = [line.split() for line in done.output.splitlines() if len(line.split()) == 3]
    assert {name for _, _, name in listed} == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    }
    for digest, size, name in listed:
        content = (out / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), str(len(content))) == (digest, size)


NAMES = st.sampled_from(["alembic", "jinja2", "lxml", "redis", "trafilatura", "urllib3", "unheard-of"])
VERSIONS = st.sampled_from(["1.0", "2.0", "99.0"])


@given(held=st.dictionaries(NAMES, VERSIONS), locked=st.dictionaries(NAMES, VERSIONS))
def test_every_pin_is_airflows_or_the_locks(held: dict[str, str], locked: dict[str, str]) -> None:
    """No version is made up; one of Airflow's is only ever replaced by the locked one, and that is told."""
    pins, differences = join_pins(held, locked, {"trafilatura": Requirement("trafilatura>=2")})
    assert set(pins) == set(held) | set(locked)
    for name, version in pins.items():
        assert version in {held.get(name), locked.get(name)}
        if name in held and version != held[name]:
            assert any(each.name == name and each.taken == version for each in differences)


def test_pins_for_other_platforms_do_not_count() -> None:
    """A lock holds lines for every platform; those for Linux and this Python are taken."""
    text = "a==1 ; sys_platform == 'win32'\nb==2 ; python_full_version < '3.12'\nb==3 ; python_full_version >= '3.12'\n"
    assert read_pins(text + "C_d==4 \\\n    --hash=sha256:00\n", "3.12") == {"b": "3", "c-d": "4"}
