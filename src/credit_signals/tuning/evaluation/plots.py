"""The pictures of the report, as SVG that does not change while its figures do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Picture

from credit_signals.tuning.evaluation.activity_figures import ActivityFigures
from credit_signals.tuning.evaluation.signal_figures import PartFigures, ReaderFigures
from credit_signals.tuning.resampling import Figure

INK = ("#1f5a99", "#c4743a", "#4c8c4a", "#7d5aa6", "#6b6b6b")  # the first is the reader that the report is about
GRID = {"color": "#dddddd", "linewidth": 0.6}
FAINT = "#999999"
LEGEND: dict[str, Any] = {"loc": "outside upper left", "ncols": 4, "frameon": False, "fontsize": 8}


def draw_codes(readers: Sequence[ReaderFigures], path: Path) -> None:
    """F1 of each code that has gold sentences, best first, with its interval; other readers as small marks."""
    first = readers[0]
    codes = [code for code, each in first.per_code.items() if each.gold]
    codes.sort(key=lambda code: first.per_code[code].f1.value)
    picture, axes = _canvas(7.5, 1.2 + 0.24 * len(codes))
    places = range(len(codes))
    for number, reader in enumerate(readers):
        figures = [reader.per_code[code].f1 for code in codes]
        values = [each.value for each in figures]
        if number == 0:
            axes.barh(places, values, color=INK[0], alpha=0.35, height=0.7)
            axes.errorbar(values, places, xerr=_errors(figures), fmt="o", color=INK[0], markersize=4, label=reader.name)
        else:
            axes.plot(values, places, "D", color=_ink(number), markersize=4, label=reader.name)
    axes.set_yticks(places, [f"{code.replace('_', ' ')} ({first.per_code[code].gold})" for code in codes])
    axes.set(xlim=(0, 1), xlabel="F1 (number of gold sentences in brackets)", ylim=(-0.6, len(codes) - 0.4))
    _legend(picture)
    _save(picture, path)


def draw_parts(readers: Sequence[ReaderFigures], path: Path) -> None:
    """Micro-F1 by language and by kind of source."""
    picture = Picture(figsize=(8, 3.2), layout="constrained")
    for axes, title, tables in zip(
        picture.subplots(1, 2, sharey=True),
        ("language", "kind of source"),
        ([each.languages for each in readers], [each.kinds for each in readers]),
        strict=True,
    ):
        _style(axes)
        _grouped(axes, [each.name for each in readers], tables)
        axes.set(title=f"micro-F1 by {title}", ylim=(0, 1))
    picture.legend(*picture.axes[0].get_legend_handles_labels(), **LEGEND)
    _save(picture, path)


def _grouped(axes: Any, names: Sequence[str], tables: Sequence[dict[str, PartFigures]]) -> None:
    labels = list(tables[0])
    width = 0.8 / len(tables)
    for number, table in enumerate(tables):
        figures = [table[label].micro_f1 for label in labels]
        places = [place + (number - (len(tables) - 1) / 2) * width for place in range(len(labels))]
        axes.bar(places, [each.value for each in figures], width * 0.9, color=_ink(number), label=names[number])
        axes.errorbar(
            places, [each.value for each in figures], yerr=_errors(figures), fmt="none", ecolor="black", lw=0.8
        )
    axes.set_xticks(range(len(labels)), [f"{label}\n({tables[0][label].sentences})" for label in labels])


def draw_reliability(readers: Sequence[ReaderFigures], path: Path) -> None:
    """How often what was told with some probability was indeed so; marks grow with the number of pairs."""
    picture, axes = _canvas(6, 5.4)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--")
    for number, reader in enumerate(readers):
        if reader.reliability:
            bins = reader.reliability.bins
            most = max(each.pairs for each in bins)
            told, true = [each.told for each in bins], [each.true for each in bins]
            axes.plot(told, true, color=_ink(number), linewidth=1, label=reader.name)
            axes.scatter(told, true, s=[12 + 90 * each.pairs / most for each in bins], color=_ink(number), alpha=0.7)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability told", ylabel="share that was so", aspect="equal")
    _legend(picture)
    _save(picture, path)


def draw_abstention(readers: Sequence[ReaderFigures], path: Path) -> None:
    """Accuracy of the sentences that are left when the doubtful ones are not answered."""
    picture, axes = _canvas(6, 3.6)
    for number, reader in enumerate(readers):
        if reader.abstention:
            curve = reader.abstention
            axes.plot([p.answered for p in curve], [p.accuracy for p in curve], color=_ink(number), label=reader.name)
    axes.set(xlim=(1, 0), xlabel="share of sentences answered", ylabel="share answered wholly right")
    axes.set_ylim(top=1.0)
    _legend(picture)
    _save(picture, path)


def draw_activities(figures: ActivityFigures, path: Path) -> None:
    """Top-1, top-3 and top-5 at each depth of both schemes."""
    schemes = list(dict.fromkeys(each.depth.scheme for each in figures.depths))
    picture = Picture(figsize=(8, 3.2), layout="constrained")
    for axes, scheme in zip(picture.subplots(1, len(schemes), sharey=True, squeeze=False)[0], schemes, strict=True):
        _style(axes)
        depths = [each for each in figures.depths if each.depth.scheme == scheme]
        for number, first in enumerate((5, 3, 1)):
            told = [each.first[first] for each in depths]
            axes.bar(
                range(len(depths)), [each.value for each in told], 0.7, color=INK[0], alpha=(0.2, 0.4, 0.9)[number]
            )
            if first == 1:
                axes.errorbar(
                    range(len(depths)),
                    [each.value for each in told],
                    yerr=_errors(told),
                    fmt="none",
                    ecolor="black",
                    lw=0.8,
                )
        known = [(place, each.baseline.value) for place, each in enumerate(depths) if each.baseline]
        axes.plot([place for place, _ in known], [value for _, value in known], "D", color=INK[1], markersize=5)
        axes.set_xticks(range(len(depths)), [each.depth.name for each in depths], fontsize=8)
        axes.set(title=scheme, ylim=(0, 1))
    _save(picture, path)


def _canvas(width: float, height: float) -> tuple[Picture, Any]:
    picture = Picture(figsize=(width, height), layout="constrained")
    axes = picture.subplots()
    _style(axes)
    return picture, axes


def _style(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(visible=True, **GRID)


def _errors(figures: Sequence[Figure]) -> list[list[float]]:
    """Bars below and above; a bootstrap's quantile may lie a hair on the other side of the value."""
    return [
        [max(0.0, each.value - each.low) for each in figures],
        [max(0.0, each.high - each.value) for each in figures],
    ]


def _ink(number: int) -> str:
    return INK[number % len(INK)]


def _legend(picture: Picture) -> None:
    """Above the picture, where it covers nothing."""
    picture.legend(**LEGEND)


def _save(picture: Picture, path: Path) -> None:
    with mpl.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none", "font.family": "sans-serif"}):
        picture.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
