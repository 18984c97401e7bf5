"""A section's way over a real Redis, seen in its spans."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from worker_pods import section

from credit_signals import pipeline
from credit_signals.crawl import FetchLimits
from credit_signals.domain import Company, Run, SectionTask, SiteStatus, now
from credit_signals.inference.scripted import ScriptedReader
from credit_signals.store import MemoryStore
from credit_signals.store.base import SiteRecord
from credit_signals.task_queue import EmbeddedRedis, RedisQueue
from credit_signals.telemetry.traces import SECTION, SECTIONS, SpanTraces

READER = ScriptedReader({})
SECTION_IDS = [section(number).id for number in range(3)]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keeps the spans that have ended."""
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> SpanTraces:
    """Traces that end there."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return SpanTraces(provider)


@pytest.fixture
def queue(redis: EmbeddedRedis) -> Iterator[RedisQueue]:
    """A queue on Redis."""
    with closing(RedisQueue(redis.url)) as queue:
        yield queue


def crawled(queue: RedisQueue, traces: pipeline.Traces, archive: Path) -> MemoryStore:
    """A store with a crawled site of three sections, which wait on the queue."""
    store = MemoryStore()
    company = Company(id="one", name="One", domain="one.example", url="http://one.example/")
    run: Run = pipeline.open_run(store, pipeline.RunRequest([company]))
    sections = tuple(section(number) for number in range(3))
    record = SiteRecord(run.id, "one", SiteStatus.READ, "", 1, "en", now(), sections=sections)
    store.save_site(record)
    tools = pipeline.CrawlTools(store, queue, READER.id, archive, FetchLimits(), traces=traces)
    with traces.crawling(run.id, "one"):
        assert pipeline.enqueue_company(run, record, tools) == 3
    return store


def read(queue: RedisQueue, store: MemoryStore, traces: pipeline.Traces) -> None:
    """A worker reads what there is."""
    options = pipeline.WorkOptions(burst=True, traces=traces)
    assert pipeline.work(queue, pipeline.ReaderShelf.of(READER), store, options) == {"read": 3}


def named(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    """The spans of a name."""
    return [span for span in spans if span.name == name]


def test_a_section_can_be_followed(
    queue: RedisQueue, exporter: InMemorySpanExporter, traces: SpanTraces, tmp_path: Path
) -> None:
    """Crawl, queue, reader and store name the section; the worker's span is linked to the one that queued it."""
    read(queue, crawled(queue, traces, tmp_path), traces)
    spans = exporter.get_finished_spans()
    sent = {span.attributes[SECTION]: span for span in named(spans, "section.send") if span.attributes}
    worked = {span.attributes[SECTION]: span for span in named(spans, "section.work") if span.attributes}
    assert sorted(map(str, sent)) == sorted(map(str, worked)) == sorted(SECTION_IDS)
    for section_id, span in worked.items():
        (link,) = span.links
        assert link.context.span_id == sent[section_id].context.span_id
        assert link.context.trace_id == sent[section_id].context.trace_id
    (crawl,), (batch,) = named(spans, "crawl"), named(spans, "batch")
    assert {span.parent.span_id for span in sent.values() if span.parent} == {crawl.context.span_id}
    assert {span.parent.span_id for span in worked.values() if span.parent} == {batch.context.span_id}
    for name in ("reader.read", "store.save", "queue.ack"):
        (span,) = named(spans, name)
        assert span.attributes
        assert sorted(span.attributes[SECTIONS]) == sorted(SECTION_IDS)  # type: ignore[arg-type]  # a sequence of ids


def test_entries_without_a_trace_are_read(
    queue: RedisQueue, exporter: InMemorySpanExporter, traces: SpanTraces, tmp_path: Path
) -> None:
    """A crawler that sends no traces and a worker that does work together, and the other way round."""
    read(queue, crawled(queue, pipeline.NoTraces(), tmp_path), traces)
    worked = named(exporter.get_finished_spans(), "section.work")
    assert [len(span.links) for span in worked] == [0, 0, 0]
    read(queue, crawled(queue, traces, tmp_path), pipeline.NoTraces())


def test_a_damaged_trace_costs_nothing(
    queue: RedisQueue, exporter: InMemorySpanExporter, traces: SpanTraces, tmp_path: Path
) -> None:
    """What cannot be a trace is no link, and the section is read."""

    class Damaged(pipeline.NoTraces):
        def sending(self, tasks: Sequence[SectionTask]) -> AbstractContextManager[Mapping[str, str]]:
            return nullcontext({task.id: "no trace at all" for task in tasks})

    read(queue, crawled(queue, Damaged(), tmp_path), traces)
    assert [len(span.links) for span in named(exporter.get_finished_spans(), "section.work")] == [0, 0, 0]


def test_without_traces_nothing_is_imported() -> None:
    """A worker that sends no traces loads no exporter; redis-py may load the rest, where it is installed."""
    code = (
        "import sys, credit_signals.cli.working;"
        "sys.exit(any(name.startswith('opentelemetry.exporter') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class _Collector(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    posted: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:  # named by http.server
        """Take a batch of spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_spans_reach_a_collector() -> None:
    """The exporter follows the standard variables, and the last spans are sent when the process ends."""
    server = HTTPServer(("127.0.0.1", 0), _Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        code = (
            "from credit_signals.telemetry.traces import export_traces\n"
            "with export_traces('credit-signals-test').step('reader.read', ['section-1']): pass"
        )
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    finally:
        server.shutdown()
        server.server_close()
    ((path, body),) = _Collector.posted
    assert path == "/v1/traces"
    assert all(word in body for word in (b"credit-signals-test", b"reader.read", b"section-1"))


def test_traces_without_the_extra_are_refused() -> None:
    """Who asks for traces and lacks the extra is told its name."""
    code = (
        "import sys; sys.modules['opentelemetry.exporter'] = None\n"
        "from credit_signals.telemetry.traces import export_traces\n"
        "export_traces('x')"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "ConfigurationError: CREDIT_SIGNALS_TRACES needs the extra `otel`" in ended.stderr
