"""The DAG on Airflow's real LocalExecutor, started by the demo's launcher and driven through the REST API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from dag_platform import Platform
from dag_process import DAGS
from demo.launcher import AirflowParts
from tests.integration.scaling.scaled_cluster import PLACE, Cluster

from credit_signals.errors import CreditSignalsError

pytestmark = pytest.mark.usefixtures("no_airflow_settings")
LOOPBACK = ("0100007F", "00000000000000000000000001000000")  # 127.0.0.1 and ::1 as /proc/net/tcp writes them
LISTENING = "0A"

OWNER = """
import os, sys, time
from pathlib import Path
from demo.launcher import AirflowParts
with AirflowParts(Path(sys.argv[1]), Path(sys.argv[2]), dict(os.environ)) as airflow:
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One Airflow home for all starts, so that its empty database is made once."""
    return tmp_path_factory.mktemp("airflow")


def _below(root: int) -> set[int]:
    """All processes below one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _listening(pids: set[int]) -> set[str]:
    """Local addresses of the listening TCP sockets of processes."""
    inodes = set()
    for pid in pids:
        try:
            inodes |= {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:
            continue
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {line[1].split(":")[0] for line in lines if line[3] == LISTENING and f"socket:[{line[9]}]" in inodes}


def _wait(airflow: AirflowParts, run_id: str, seconds: float = 150) -> str:
    deadline = time.monotonic() + seconds
    while (state := airflow.state("crawl_companies", run_id)) not in {"success", "failed"}:
        assert time.monotonic() < deadline, airflow.task_states("crawl_companies", run_id)
        time.sleep(0.3)
    return state


def test_a_run_through_the_rest_api(platform: Platform, home: Path, tmp_path: Path) -> None:
    """Mapped shards, wait and scaling in the triggerer, scores and the asset, with separate processes and no network.

    The workers of a cluster are scaled up for the run's sections, and down to the floor when they are read.
    """
    cluster = Cluster(tmp_path)
    scaled = {"scale_deployment": PLACE, "scale_kubeconfig": str(cluster.kubeconfig), "scale_service_seconds": 86_400}
    chosen = platform.settings.model_copy(update={**scaled, "scale_look_seconds": 2, "scale_ceiling": 6})
    environment = {**os.environ, **chosen.as_environment()}
    with cluster.served(), AirflowParts(home, DAGS, environment) as airflow:
        assert airflow.import_errors() == []
        assert _listening(_below(os.getpid())) <= set(LOOPBACK)
        with pytest.raises(CreditSignalsError, match="shards"):
            airflow.trigger("crawl_companies", {"shards": 0})

        companies = platform.companies("harrowlea", "cardle", "kermadec", "plumtree")
        run_id = airflow.trigger("crawl_companies", {"companies": companies, "shards": 2})
        while airflow.task_states("crawl_companies", run_id)["wait_until_read", "deferred"] == 0:
            assert airflow.state("crawl_companies", run_id) in {"queued", "running"}
            time.sleep(0.3)
        assert platform.parts.store.progress(run_id).unread > 0
        while cluster.replicas == 1:
            assert airflow.state("crawl_companies", run_id) == "running"
            time.sleep(0.1)
        with platform.reader():
            assert _wait(airflow, run_id) == "success"

        tasks = {"open_run": 1, "crawl_shard": 2, "enqueue": 1, "wait_until_read": 1, "scale_workers": 1, "score": 1}
        done = Counter({(name, "success"): count for name, count in tasks.items()})
        assert airflow.task_states("crawl_companies", run_id) == done
        assert max(cluster.wishes) > 1
        assert cluster.replicas == 1
        scaling_log = "".join(path.read_text() for path in home.glob("logs/tasks/**/*scale_workers*/**/*.log*"))
        assert "no section waits" in scaling_log
        assert "does not say" not in scaling_log
        reports = platform.parts.store.reports(run_id)
        assert len(reports) == 4
        [event] = airflow.get("api/v2/assets/events")["asset_events"]
        assert (event["name"], event["extra"]) == ("credit_signals_reports", {"run_id": run_id, "companies": 4})
        runs = airflow.get("api/v2/dags/crawl_companies/dagRuns")
        assert runs["total_entries"] == 1, "nothing runs on schedule under the launcher"


def test_nothing_is_left_of_a_killed_launcher(home: Path) -> None:
    """kill -9 of the process that started Airflow ends every process of it, and leaves its home usable."""
    command = [sys.executable, "-c", OWNER, home, DAGS]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        started = _below(owner.pid)
        assert len(started) > 8
        os.kill(owner.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while left := {pid for pid in started if _runs(pid)}:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_part_that_does_not_start_shows_its_log(home: Path) -> None:
    """The error holds the end of the log, and the other parts are ended."""
    before = _below(os.getpid())
    wrong = {**os.environ, "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "never"}
    with pytest.raises(CreditSignalsError, match=r"the end of .*\.log"), AirflowParts(home, DAGS, wrong):
        pass
    assert _below(os.getpid()) <= before
