"""Airflow on this machine, on loopback only, as children that end with this process."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from credit_signals.children import end_child, free_port, start_child
from credit_signals.errors import CreditSignalsError
from demo import guard

PARTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
START_SECONDS = 120.0
END_SECONDS = 15.0  # the guard needs up to 5
LOG_LINES = 15


class AirflowParts:
    """Airflow's api-server, scheduler, dag-processor and triggerer for the length of a block.

    `home` keeps its logs; its database is new at each start, so that no run of a killed predecessor goes on. Whoever
    can reach the loopback address is admin: for one's own machine only. `env` is the environment of the parts (and so
    of the tasks); it holds secrets and is not logged. Raises CreditSignalsError with the end of a log when a part
    does not start.
    """

    def __init__(self, home: Path, dags_folder: Path, env: Mapping[str, str]) -> None:
        self.home = home.resolve()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._env = {**env, **self._settings(dags_folder.resolve())}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def _settings(self, dags_folder: Path) -> dict[str, str]:
        settings = {
            "CORE__DAGS_FOLDER": dags_folder,
            "CORE__PLUGINS_FOLDER": dags_folder / "plugins",
            "CORE__LOAD_EXAMPLES": False,
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": 4,  # the default of 32 starts as many processes
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}execution/",
            "API__HOST": "127.0.0.1",
            "API__PORT": self.port,
            "API__BASE_URL": self.url.rstrip("/"),
            "API__WORKERS": 1,
            "API__SECRET_KEY": secrets.token_urlsafe(32),
            "API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "LOGGING__BASE_LOG_FOLDER": self.home / "logs" / "tasks",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.3,
            "USAGE_DATA_COLLECTION__ENABLED": False,
        }
        variables = {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}
        return {**variables, "AIRFLOW_HOME": str(self.home), "CREDIT_SIGNALS_SCHEDULE": ""}

    def __enter__(self) -> AirflowParts:
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        try:
            self._new_database()
            for name, arguments in PARTS.items():
                self._children[name] = self._start(name, arguments)
            self._until(self._healthy, "did not become healthy")
            token = self._client.get("auth/token").raise_for_status().json()["access_token"]
            self._client.headers["Authorization"] = f"Bearer {token}"
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    # --- runs

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a DAG run; its id, which is fit for file names. Raises CreditSignalsError when Airflow refuses it."""
        self._until(lambda: self._client.get(f"api/v2/dags/{dag_id}").is_success, f"did not find the DAG {dag_id}")
        run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        answer = self._client.post(f"api/v2/dags/{dag_id}/dagRuns", json=body)
        if not answer.is_success:
            raise CreditSignalsError(f"Airflow does not start {dag_id}: {answer.status_code} {answer.text[:300]}")
        return run_id

    def state(self, dag_id: str, run_id: str) -> str:
        """State of a DAG run: queued, running, success or failed."""
        return str(self._get(f"api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_states(self, dag_id: str, run_id: str) -> Counter[tuple[str, str]]:
        """How many task instances of a DAG run there are, by task id and state."""
        instances = self._get(f"api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=300")["task_instances"]
        return Counter((each["task_id"], each["state"] or "none") for each in instances)

    def import_errors(self) -> list[str]:
        """What is wrong with DAG files."""
        return [each["stack_trace"] for each in self._get("api/v2/importErrors")["import_errors"]]

    def get(self, path: str) -> Any:
        """The JSON of an address of Airflow's REST API, such as `api/v2/assets`."""
        return self._get(path)

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    # --- processes

    def _new_database(self) -> None:
        """A fresh copy of an empty, migrated database, which is made once for each version of Airflow."""
        database, empty = self.home / "airflow.db", self.home / f"empty-{version('apache-airflow-core')}.db"
        for old in self.home.glob("airflow.db*"):
            old.unlink()
        if not empty.exists():
            migrate = self._start("migrate", ["db", "migrate"])
            try:
                if migrate.wait(START_SECONDS) != 0:
                    raise CreditSignalsError(f"Airflow's database was not made; {self._log_end('migrate')}")
            finally:
                end_child(migrate)
            database.rename(empty)
        shutil.copyfile(empty, database)

    def _start(self, name: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, guard.__file__, sys.executable, "-m", "airflow", *arguments]
        with (self.home / "logs" / f"{name}.log").open("wb") as output:
            return start_child(command, env=self._env, output=output, cwd=self.home)

    def _healthy(self) -> bool:
        try:
            answer = self._client.get("api/v2/monitor/health")
        except httpx.TransportError:
            return False
        return answer.is_success and all((answer.json().get(name) or {}).get("status") == "healthy" for name in HEALTHY)

    def _until(self, look: Any, failure: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not look():
            ended = [name for name, child in self._children.items() if child.poll() is not None]
            if ended:
                raise CreditSignalsError(f"Airflow's {ended[0]} ended; {self._log_end(ended[0])}")
            if time.monotonic() > deadline:
                raise CreditSignalsError(f"Airflow {failure} in {START_SECONDS:g} s; see {self.home / 'logs'}")
            time.sleep(0.4)

    def _log_end(self, name: str) -> str:
        log_file = self.home / "logs" / f"{name}.log"
        lines = log_file.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]
        return f"the end of {log_file}:\n" + "\n".join(lines)

    def _end(self) -> None:
        self._client.close()
        for child in self._children.values():
            child.terminate()  # all at once, so that they end side by side
        for child in self._children.values():
            end_child(child, END_SECONDS)
        self._children.clear()
