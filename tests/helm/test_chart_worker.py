"""What the chart says of a worker, said to a real one: environment, command, probes, metrics, end, and `helm test`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helm_binaries import ROOT
from helm_chart import CHART, Rendered

from credit_signals import wiring
from credit_signals.settings import Settings

Case = Callable[..., Rendered]


def environment(rendered: Rendered, container: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """A container's variables; `given` stands for the Secret, and for what is one's own on this machine."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CREDIT_SIGNALS_", "OTEL_"))}
    fixed = {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}
    python = {"PYTHONPATH": f"{ROOT}/src:{ROOT}", "PATH": f"{Path(sys.executable).parent}:{own['PATH']}"}
    return {**own, **rendered.one("ConfigMap", "-settings")["data"], **fixed, **given, **python}


def ask(url: str) -> tuple[int, bytes]:
    """Status and body; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def test_a_real_worker_lives_as_the_chart_says(case: Case, tmp_path: Path) -> None:
    """It starts by the chart's command and environment, answers its probes, shows the dashboard's metrics, and ends."""
    rendered = case("default")
    container = rendered.one("Deployment", "-section-reader")["spec"]["template"]["spec"]["containers"][0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with wiring.with_redis(Settings(data_dir=tmp_path)) as served:
        given = {
            "CREDIT_SIGNALS_DATA_DIR": str(tmp_path),
            "CREDIT_SIGNALS_REDIS_URL": served.redis_url.get_secret_value(),
            "CREDIT_SIGNALS_STORE_URL": f"sqlite:///{tmp_path}/store.db",
            "CREDIT_SIGNALS_PROBE_PORT": str(port),
        }
        worker = subprocess.Popen(
            container["command"], env=environment(rendered, container, given), cwd=ROOT, stderr=subprocess.PIPE
        )
        try:
            ready = f"http://127.0.0.1:{port}{container['readinessProbe']['httpGet']['path']}"
            deadline = time.monotonic() + 120
            while ask(ready)[0] != 200:
                assert worker.poll() is None, worker.communicate()[1]
                assert time.monotonic() < deadline, ask(ready)
                time.sleep(0.1)
            for probe in ("startupProbe", "livenessProbe"):
                assert ask(f"http://127.0.0.1:{port}{container[probe]['httpGet']['path']}")[0] == 200
            exposed = set(
                re.findall(r"^# TYPE (\w+) ", ask(f"http://127.0.0.1:{port}/metrics")[1].decode(), re.MULTILINE)
            )
            wanted = set(re.findall(r"credit_signals_\w+", (CHART / "files" / "dashboard.json").read_text()))
            assert {re.sub("_(bucket|sum|count)$", "", name) for name in wanted} <= exposed
            test = rendered.one("Pod")["spec"]["containers"][0]
            script = [*test["command"], test["args"][0], ready]
            tested = subprocess.run(
                script, env=environment(rendered, test, given), cwd=ROOT, capture_output=True, check=False
            )
            assert tested.returncode == 0, tested
            assert tested.stdout.endswith(b"/readyz 200\n")
        finally:
            worker.send_signal(signal.SIGTERM)
            logged = worker.communicate(timeout=60)[1]
    assert worker.returncode == 0, logged
    assert all(json.loads(line)["message"] for line in logged.splitlines())
