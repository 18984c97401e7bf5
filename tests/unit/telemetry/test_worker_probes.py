"""The probes over HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from credit_signals.children import free_port
from credit_signals.errors import ConfigurationError
from credit_signals.pipeline import Part
from credit_signals.telemetry.worker import WorkerTelemetry


@pytest.fixture
def telemetry() -> WorkerTelemetry:
    """A worker that has just begun."""
    return WorkerTelemetry(stall_seconds=300)


@pytest.fixture
def port(telemetry: WorkerTelemetry) -> Iterator[int]:
    """Where it answers."""
    port = free_port()
    with telemetry.served(port):
        yield port


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    """Status, content type and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def test_probes_name_what_is_missing(telemetry: WorkerTelemetry, port: int) -> None:
    """A new worker is alive and not ready; it becomes ready when all has answered."""
    assert ask(port, "/healthz") == (200, "application/json", b'{"status": "ok"}\n')
    status, _, body = ask(port, "/readyz?verbose")
    assert status == 503
    assert "reader: not loaded yet" in json.loads(body)["failing"]
    telemetry.opened(0.5)
    telemetry.answered(Part.QUEUE)
    telemetry.answered(Part.STORE)
    assert ask(port, "/readyz")[0] == 200


def test_metrics_can_be_parsed(telemetry: WorkerTelemetry, port: int) -> None:
    """What Prometheus reads is what the worker counted, with help texts."""
    telemetry.opened(0.5)
    status, kind, body = ask(port, "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert families["credit_signals_model_load_seconds"].samples[0].value == 0.5
    assert families["credit_signals_model_load_seconds"].documentation
    assert "process_cpu_seconds" in families


def test_other_requests_are_refused(port: int) -> None:
    """There are three paths, to be read only."""
    assert ask(port, "/")[0] == 404
    assert ask(port, "/metrics", "POST")[0] == 501
    assert ask(port, "/healthz", "HEAD")[::2] == (200, b"")


def test_a_taken_port_is_named(port: int) -> None:
    """Two workers on one machine need two ports."""
    with pytest.raises(ConfigurationError, match=f"CREDIT_SIGNALS_PROBE_PORT={port}"), WorkerTelemetry(1).served(port):
        pass


def test_a_client_that_hangs_up_leaves_no_trace(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    """A probe that is cut off in its request does not write bare text between the lines of the log."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /healthz HTTP/1.1")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
    assert ask(port, "/healthz")[0] == 200
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(5)
    assert capfd.readouterr().err == ""
