"""A process in which DAGs are parsed or run, apart from the tests' own: `python dag_process.py parse|run JSON`.

Airflow reads its settings at import, so each process gets them as its environment. The answer is one line of JSON
after the line `ANSWER`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

DAGS = Path(__file__).resolve().parents[2] / "dags"
HEAVY = (
    *("credit_signals", "httpx", "kubernetes", "trafilatura", "llama_cpp"),
    *("networkx", "numpy", "pyarrow", "redis", "torch"),
)


def airflow_environment(home: Path) -> dict[str, str]:
    """Airflow on a database of its own, with the project's DAGs."""
    settings = {
        "CORE__DAGS_FOLDER": DAGS,
        "CORE__PLUGINS_FOLDER": DAGS / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__UNIT_TEST_MODE": False,
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "LOGGING__BASE_LOG_FOLDER": home / "logs",
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    variables = {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}
    return {**os.environ, **variables, "AIRFLOW_HOME": str(home)}


def _bag() -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags")


def parse() -> dict[str, Any]:
    """Ids, tasks, import errors, and which heavy modules the parsing imported."""
    import airflow.settings

    airflow.settings.initialize()
    before = set(sys.modules)
    bag = _bag()
    return {
        "errors": bag.import_errors,
        "dags": {dag_id: sorted(dag.task_ids) for dag_id, dag in bag.dags.items()},
        "schedules": {dag_id: dag.schedule for dag_id, dag in bag.dags.items()},
        "heavy": sorted(set(HEAVY) & (set(sys.modules) - before)),
    }


def run(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run each case's DAG with its conf in this process; the outcome of each."""
    from airflow.sdk.exceptions import ParamValidationError
    from airflow.utils.db import initdb

    initdb()
    results: list[dict[str, Any]] = []
    for case in cases:
        dag = _bag().dags[case["dag"]]  # a new one each time: a test run leaves its conf in the form's defaults
        for each in dag.tasks:
            each.retries = 0  # a failure is looked at, not waited for
        try:
            done = dag.test(run_conf=case["conf"])
        except ParamValidationError as error:
            results.append({"state": "refused", "error": str(error)})
            continue
        tasks = [[each.task_id, str(each.state)] for each in done.get_task_instances()]
        results.append({"state": str(done.state), "run_id": done.run_id, "tasks": sorted(tasks)})
    return results


if __name__ == "__main__":
    answer = parse() if sys.argv[1] == "parse" else run(json.loads(sys.argv[2]))
    print(f"\nANSWER\n{json.dumps(answer)}")
