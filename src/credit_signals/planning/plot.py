"""The picture of a timeline: backlog and pods."""

from __future__ import annotations

from pathlib import Path

from credit_signals.errors import ConfigurationError
from credit_signals.planning.timeline import Timeline

HOUR = 3600.0


def draw_timeline(timeline: Timeline, path: Path) -> None:
    """Write backlog and pods over time as SVG, PNG or PDF by the file's name.

    Raises ConfigurationError without matplotlib, or for another kind of file.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # optional
        from matplotlib.figure import Figure  # noqa: PLC0415  # optional
    except ImportError as exc:
        raise ConfigurationError("--plot needs matplotlib: install the extra `plan` (credit-signals[plan])") from exc
    samples = timeline.outcome.samples
    hours = [sample.at / HOUR for sample in samples]
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, sharex=True)
    above.fill_between(hours, [sample.backlog for sample in samples], color="tab:blue", alpha=0.35, step="post")
    above.set_ylabel("sections waiting\nor in work")
    above.ticklabel_format(axis="y", style="plain")
    below.step(hours, [sample.workers for sample in samples], color="tab:green", where="post", label="reading")
    below.step(hours, [sample.wished for sample in samples], color="tab:gray", where="post", ls=":", label="wished for")
    below.set_ylabel("pods")
    below.set_ylim(0, max(sample.wished for sample in samples) * 1.35 + 1)  # room for the legend
    below.set_xlabel("hours")
    below.legend(loc="upper left", frameon=False)
    wish = timeline.plan.wish
    above.set_title(f"{wish.companies:,} companies, {timeline.seconds / HOUR:.0f} hours of a later pass", loc="left")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    except ValueError as exc:
        raise ConfigurationError(f"{path}: write .svg, .png or .pdf") from exc
