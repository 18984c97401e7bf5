"""The metrics of a worker as a table for the documentation: `python -m credit_signals.telemetry.metrics_table`."""

from __future__ import annotations

import sys

from prometheus_client.metrics_core import Metric

from credit_signals.telemetry.worker import WorkerTelemetry


def metrics_table() -> str:
    """A Markdown table of the product's own metrics, by name: name, kind, meaning."""
    found = sorted(WorkerTelemetry(stall_seconds=1).metrics.families(), key=lambda metric: metric.name)
    rows = [f"| `{_shown(metric)}` | {metric.type} | {metric.documentation} |" for metric in found]
    return "\n".join(["| metric | kind | meaning |", "|---|---|---|", *rows])


def _shown(metric: Metric) -> str:
    """The name as it stands in /metrics, with the values of its label."""
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    pairs = [pair for sample in metric.samples for pair in sample.labels.items() if pair[0] != "le"]
    return f"{name}{{{pairs[0][0]}={', '.join(value for _, value in pairs)}}}" if pairs else name


if __name__ == "__main__":
    sys.stdout.write(metrics_table() + "\n")
