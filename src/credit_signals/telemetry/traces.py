"""OpenTelemetry spans over a section's life; the section's id is an attribute of each.

crawl (company) > store.sections > section.send ...then, in a worker: batch > section.work (linked to section.send),
reader.read, store.save, queue.ack. The trace travels in the queue's entry as a W3C traceparent.

The extra `otel` is imported when traces are asked for, and only then.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from credit_signals.domain import SectionTask
from credit_signals.errors import ConfigurationError
from credit_signals.pipeline import Traces
from credit_signals.task_queue.base import Delivery

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link

RUN, COMPANY = "credit_signals.run_id", "credit_signals.company_id"
SECTION, SECTIONS, TASK = "credit_signals.section_id", "credit_signals.section_ids", "credit_signals.task_id"
ATTEMPTS = "credit_signals.attempts"
CARRIED = "traceparent"


def export_traces(service: str) -> Traces:
    """Traces that go to the collector of the standard OTEL_* variables, the last of them when the process ends.

    Raises ConfigurationError without the extra `otel`.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  optional
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError("CREDIT_SIGNALS_TRACES needs the extra `otel`: credit-signals[otel]") from exc
    resource = Resource.create({"service.name": service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    atexit.register(provider.shutdown)
    return SpanTraces(provider)


class SpanTraces:
    """Traces on a provider of OpenTelemetry's. See pipeline.Traces."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace import SpanKind  # noqa: PLC0415  optional
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        self._kinds = SpanKind
        self._tracer = provider.get_tracer("credit_signals")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def crawling(self, run_id: str, company_id: str) -> Iterator[None]:
        """A company's crawl, down to the queue."""
        with self._tracer.start_as_current_span("crawl", attributes={RUN: run_id, COMPANY: company_id}):
            yield

    @contextmanager
    def step(self, name: str, section_ids: Sequence[str]) -> Iterator[None]:
        """A step that some sections take together."""
        with self._tracer.start_as_current_span(name, attributes={SECTIONS: list(section_ids)}):
            yield

    @contextmanager
    def sending(self, tasks: Sequence[SectionTask]) -> Iterator[Mapping[str, str]]:
        """Tasks on their way onto the queue; the trace that each takes along, by task id."""
        with ExitStack() as stack:
            yield {task.id: self._sent(stack, task) for task in tasks}

    def _sent(self, stack: ExitStack, task: SectionTask) -> str:
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415  optional

        span = self._tracer.start_span("section.send", kind=self._kinds.PRODUCER, attributes=_names(task))
        stack.callback(span.end)
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, set_span_in_context(span))
        return carrier.get(CARRIED, "")

    @contextmanager
    def receiving(self, deliveries: Sequence[Delivery]) -> Iterator[None]:
        """A batch in a worker's hand, and in it a span for each delivery, linked to where it was sent."""
        with self._tracer.start_as_current_span("batch"), ExitStack() as stack:
            for delivery in deliveries:
                span = self._tracer.start_span(
                    "section.work",
                    kind=self._kinds.CONSUMER,
                    attributes={**_names(delivery.task), ATTEMPTS: delivery.attempts},
                    links=self._links(delivery),
                )
                stack.callback(span.end)
            yield

    def _links(self, delivery: Delivery) -> list[Link]:
        from opentelemetry.trace import Link, get_current_span  # noqa: PLC0415  optional

        sent = get_current_span(self._propagator.extract({CARRIED: delivery.trace})).get_span_context()
        return [Link(sent)] if delivery.trace and sent.is_valid else []


def _names(task: SectionTask) -> dict[str, str]:
    return {SECTION: task.section.id, COMPANY: task.section.company_id, TASK: task.id}
