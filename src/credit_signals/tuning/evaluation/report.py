"""The evaluation report, Markdown: the headline first, then pictures, then details, then how it was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from credit_signals.domain import Comparison
from credit_signals.tuning.answers import BASELINE
from credit_signals.tuning.evaluation.activity_figures import FIRST, ActivityFigures
from credit_signals.tuning.evaluation.generated import GeneratedFigures
from credit_signals.tuning.evaluation.signal_figures import PartFigures, ReaderFigures
from credit_signals.tuning.resampling import RESAMPLES, Figure

ABSENT = "-"
SHOWN_SHARES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


@dataclass(frozen=True, slots=True)
class Method:
    """How the figures came about, for whoever repeats them."""

    data_hash: str
    seed: int
    vcpu_hour: float
    command: str
    files: tuple[str, ...] = ()
    unread: dict[str, dict[str, int]] = field(default_factory=dict)  # by reader: reason -> sentences


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that a report shows; the first reader is the one that it is about."""

    readers: tuple[ReaderFigures, ...]
    comparisons: tuple[Comparison, ...]  # of the first with the others
    activities: ActivityFigures | None
    generated: GeneratedFigures | None
    method: Method


def render_report(evaluation: Evaluation, pictures: Sequence[str]) -> str:
    """The report; `pictures` are the names of the files in plots/ that were drawn."""
    parts: list[str] = [f"# Evaluation of {_title(evaluation)}\n"]
    if evaluation.readers:
        parts += [*_headline(evaluation), *_comparison(evaluation)]
    if evaluation.activities:
        parts += _activity_line(evaluation.activities)
    parts += [f"![{_CAPTIONS[name]}](plots/{name})\n*{_CAPTIONS[name]}*\n" for name in pictures]
    if evaluation.readers:
        parts += _signal_details(evaluation)
    if evaluation.activities:
        parts += _activity_details(evaluation.activities)
    if evaluation.generated:
        parts += _generated(evaluation.generated)
    parts += _method(evaluation)
    return "\n".join(parts)


_CAPTIONS = {
    "codes.svg": "F1 of each signal code, with its 95% interval",
    "parts.svg": "Micro-F1 by language and by kind of source (number of sentences in brackets)",
    "reliability.svg": "Reliability: on the dashed line, probabilities mean what they say",
    "abstention.svg": "What is gained when the least sure sentences are left to a person",
    "activities.svg": "Activity codes: dark top-1, lighter top-3 and top-5, diamonds the baseline's top-1",
}


def _title(evaluation: Evaluation) -> str:
    if evaluation.readers:
        return evaluation.readers[0].name
    return evaluation.activities.name if evaluation.activities else "generated answers"


def _headline(evaluation: Evaluation) -> list[str]:
    whole = evaluation.readers[0].whole
    rows = [
        (
            f"**{each.name}**" if number == 0 else each.name,
            str(each.whole.micro_f1),
            _or_absent(each.whole.macro_f1),
            str(each.attributes.stance) if each.attributes else ABSENT,
            str(each.attributes.subject) if each.attributes else ABSENT,
            each.whole.false_flags.percent(),
            str(each.reliability.error) if each.reliability else ABSENT,
            f"{each.cost.dollars_per_million_sections:,.2f}",
        )
        for number, each in enumerate(evaluation.readers)
    ]
    head = ("", "micro-F1", "macro-F1", "stance", "subject", "false flags", "ECE", "$ per million sections")
    told = (
        f"{whole.sentences:,} sentences of {whole.documents:,} documents of the test split; "
        f"{whole.gold:,} signals in {whole.sentences - whole.signal_free:,} of them. In brackets: 95% intervals. "
        f"Macro-F1 is over the {whole.macro_codes} codes with 10 gold sentences or more; false flags are the share of "
        f"the {whole.signal_free:,} signal-free sentences in which a signal was found.\n"
    )
    return [_table(head, rows), told]


def _comparison(evaluation: Evaluation) -> list[str]:
    names = {each.reader_id: each.name for each in evaluation.readers}
    lines = [
        f"- Against {names.get(comparison.other, comparison.other)}: "
        + ", ".join(
            f"{change.name} {change.candidate - change.other:+.3f} ({change.low:+.3f} to {change.high:+.3f})"
            for change in comparison.figures
        )
        + "."
        for comparison in evaluation.comparisons
    ]
    return ["\n".join(lines) + "\n"] if lines else []


def _activity_line(figures: ActivityFigures) -> list[str]:
    top = {(each.depth.scheme, each.depth.name): each for each in figures.depths}
    told = [
        f"{scheme} {name} {each.first[1].value:.0%} at the first guess, {each.first[5].value:.0%} among five"
        for (scheme, name), each in top.items()
        if name in {"sector", "3 digits", "section", "2 digits"} and (scheme, name) != ("NACE2", "3 digits")
    ]
    return [f"Activity on {figures.texts} company descriptions: {'; '.join(told)}.\n"]


def _signal_details(evaluation: Evaluation) -> list[str]:
    first, *others = evaluation.readers
    parts = ["## Signals by code\n", _codes(first, others)]
    parts += ["## By language\n", _parts_table(evaluation.readers, "languages")]
    parts += ["## By kind of source\n", _parts_table(evaluation.readers, "kinds")]
    parts += ["## Stance and subject\n", _attributes(evaluation.readers)]
    parts += ["## Calibration\n", _calibration(evaluation.readers)]
    parts += ["## Abstention\n", _abstention(evaluation.readers)]
    parts += ["## Cost\n", _cost(evaluation)]
    return parts


def _codes(first: ReaderFigures, others: Sequence[ReaderFigures]) -> str:
    head = ("code", "gold", "found", "precision", "recall", "F1", *(f"F1, {each.name}" for each in others))
    codes = sorted(first.per_code, key=lambda code: (-first.per_code[code].gold, code))
    silent = [code for code in codes if not first.per_code[code].gold and not first.per_code[code].found]
    rows = []
    for code in codes:
        if code in silent:
            continue
        each = first.per_code[code]
        figures = [ABSENT] * 3 if not each.gold else [str(each.precision), str(each.recall), str(each.f1)]
        beside = [f"{other.per_code[code].f1.value:.3f}" if each.gold else ABSENT for other in others]
        rows.append((code, str(each.gold), str(each.found), *figures, *beside))
    whole = first.whole
    figures = [str(whole.precision), str(whole.recall), str(whole.micro_f1)]
    found = sum(each.found for each in first.per_code.values())
    beside = [f"{other.whole.micro_f1.value:.3f}" for other in others]
    table = _table(head, [*rows, ("**all (micro)**", str(whole.gold), str(found), *figures, *beside)])
    return table + (f"\nNeither gold nor found: {', '.join(silent)}.\n" if silent else "")


def _parts_table(readers: Sequence[ReaderFigures], part: str) -> str:
    head = ("", "reader", "sentences", "gold", "precision", "recall", "micro-F1", "macro-F1", "false flags")
    rows = []
    for name in getattr(readers[0], part):
        for number, reader in enumerate(readers):
            each: PartFigures = getattr(reader, part)[name]
            shown = (name, reader.name, str(each.sentences), str(each.gold))
            again = ("", reader.name, "", "")
            macro = f"{each.macro_f1} over {each.macro_codes}" if each.macro_f1 else ABSENT
            flags = each.false_flags.percent() if each.signal_free else ABSENT
            figures = (str(each.precision), str(each.recall), str(each.micro_f1), macro, flags)
            rows.append((*(again if number else shown), *figures))
    return _table(head, rows)


def _attributes(readers: Sequence[ReaderFigures]) -> str:
    rows = [
        (each.name, f"{each.attributes.told:.0%}", str(each.attributes.stance), str(each.attributes.subject))
        for each in readers
        if each.attributes
    ]
    if not rows:
        return "No reader's answers hold them.\n"
    return _table(("", "gold signals judged", "stance right", "subject right"), rows)


def _calibration(readers: Sequence[ReaderFigures]) -> str:
    lines = [
        "Over pairs of sentence and code with a probability above 0.05, in ten equal bins; pairs below are nearly all "
        "rightly near 0.\n"
    ]
    for each in readers:
        if each.reliability is None:
            lines.append(f"{each.name} tells no probabilities.\n")
            continue
        only = " It tells them only of what it states." if each.reliability.stated_only else ""
        lines.append(f"{each.name}: expected calibration error {each.reliability.error}.{only}\n")
        rows = [(str(one.pairs), f"{one.told:.3f}", f"{one.true:.3f}") for one in each.reliability.bins]
        lines.append(_table(("pairs", "probability told", "share that was so"), rows))
    return "\n".join(lines)


def _abstention(readers: Sequence[ReaderFigures]) -> str:
    told = [each for each in readers if each.abstention]
    if not told:
        return "No reader tells probabilities.\n"
    head = ("share of sentences answered", *(f"wholly right, {each.name}" for each in told))
    curves = [{point.answered: point.accuracy for point in each.abstention} for each in told]
    rows = [(f"{part:.0%}", *(f"{curve[part]:.1%}" for curve in curves)) for part in SHOWN_SHARES]
    return _table(head, rows)


def _cost(evaluation: Evaluation) -> str:
    head = ("", "CPU-seconds per section", "$ per million sections", "CPU-seconds per accepted signal", "$ per 1,000")
    rows = [
        (
            each.name,
            f"{each.cost.cpu_seconds_per_section:.4f}",
            f"{each.cost.dollars_per_million_sections:,.2f}",
            f"{each.cost.cpu_seconds_per_accepted_signal:.4f}",
            f"{each.cost.dollars_per_thousand_accepted_signals:,.4f}",
        )
        for each in evaluation.readers
    ]
    told = (
        f"At {evaluation.method.vcpu_hour:g} dollars for a virtual CPU's hour. A section here is one sentence with its "
        "context. An accepted signal is one that was found and is gold; signals are denser here than on websites.\n"
    )
    return _table(head, rows) + "\n" + told


def _activity_details(figures: ActivityFigures) -> list[str]:
    head = ("scheme", "depth", "texts", *(f"top-{first}" for first in FIRST), "top-1, TF-IDF + logistic regression")
    rows = [
        (
            each.depth.scheme,
            each.depth.name,
            str(each.texts),
            *(str(each.first[first]) for first in FIRST),
            str(each.baseline) if each.baseline else ABSENT,
        )
        for each in figures.depths
    ]
    told = "; ".join(f"{scheme} {found}" for scheme, found in figures.hierarchical.items())
    note = f"Hierarchical F1, over the first guess at the depth of the gold code and all codes above it: {told}.\n"
    return ["## Activity by depth\n", _table(head, rows), note]


def _generated(figures: GeneratedFigures) -> list[str]:
    rows = [(name, str(found.questions), *(map(_share, found.shares()))) for name, found in figures.kinds.items()]
    head = ("questions", "number", "the reference's answer", "quote in what was shown", "right, says the judge")
    parts = ["## Generated answers\n", _table(head, rows)]
    if figures.judge:
        judge = figures.judge
        parts.append(
            f"Judge: {judge.model}; {judge.judged} answers judged, {judge.failed} without a valid verdict. It agrees "
            f"with {judge.gold} on {judge.agreement:.1%} (Cohen's kappa {judge.kappa:.2f}).\n"
        )
    return parts


def _method(evaluation: Evaluation) -> list[str]:
    method = evaluation.method
    lines = ["## How it was measured\n"]
    rows = [(each.name, f"`{each.reader_id}`") for each in evaluation.readers]
    if rows:
        lines.append(_table(("reader", "id"), rows))
    told = [f"- Test split: `{method.data_hash}`, seed {method.seed}."] if method.data_hash else []
    told += [f"- Data: {name}." for name in method.files]
    told += [
        f"- {name} left {sum(reasons.values())} sentences unread ("
        + ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
        + "); they count as answered with no signal."
        for name, reasons in method.unread.items()
        if reasons
    ]
    told.append(
        f"- Intervals: {RESAMPLES:,} bootstrap resamples of whole documents; differences are paired. Documents are "
        "split as wholes, by seed: the figures hold for readers that were trained on the other parts of this split."
    )
    if any(each.reader_id == BASELINE for each in evaluation.readers):
        told.append(
            "- Baseline: TF-IDF of words and word pairs, logistic regression per code, calibrated as readers are."
        )
    told.append(f"- Command: `{method.command}`")
    return [*lines, "\n".join(told) + "\n"]


def _or_absent(figure: Figure | None) -> str:
    return ABSENT if figure is None else str(figure)


def _share(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1%}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines) + "\n"
