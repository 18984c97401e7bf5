"""Two teachers on the same sentences: how far they agree, and where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.teacher import CODES, Label, LabelledSentence, load_teacher

DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Table:
    """Decisions of two raters: both yes, only the first, only the second, neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def f1(self) -> float:
        """F1 of one against the other, which is the same both ways; 0 where neither ever says yes."""
        said = 2 * self.both + self.first + self.second
        return 2 * self.both / said if said else 0.0

    @property
    def kappa(self) -> float:
        """Cohen's kappa (1960): agreement beyond chance; 1 where both always say the same."""
        total = self.both + self.first + self.second + self.neither
        agreed = (self.both + self.neither) / total if total else 1.0
        yes = (self.both + self.first) * (self.both + self.second)
        no = (self.neither + self.first) * (self.neither + self.second)
        chance = (yes + no) / total**2 if total else 1.0
        return (agreed - chance) / (1 - chance) if chance < 1 else 1.0


Pair = tuple[dict[str, Label], dict[str, Label]]


def compare(first: Path, second: Path) -> dict[str, Any]:
    """Agreement of two files of labels over the sentences in both, by id.

    Stance, subject and severity are compared where both state the same code of a sentence. Raises ConfigurationError
    when a file is wrong or no sentence is in both.
    """
    one, other = (_by_id(load_teacher([path])) for path in (first, second))
    common = [name for name in one if name in other]
    if not common:
        raise ConfigurationError(f"{first} and {second} have no sentence in common")
    pairs = {name: (_by_code(one[name]), _by_code(other[name])) for name in common}
    moved = [name for name in common if one[name].text != other[name].text]
    if moved:
        raise ConfigurationError(f"{first} and {second}: sentence {moved[0]} has two texts")
    tables = {code: _table(list(pairs.values()), code) for code in CODES}
    used = {code: table for code, table in tables.items() if table.both + table.first + table.second}
    pooled = _sum(list(tables.values()))
    return {
        "sentences": len(common),
        "only_in_first": len(one) - len(common),
        "only_in_second": len(other) - len(common),
        "micro_f1": round(pooled.f1, DECIMALS),
        "macro_f1": round(sum(table.f1 for table in used.values()) / len(used), DECIMALS) if used else 0.0,
        "kappa": round(pooled.kappa, DECIMALS),
        **_attributes(list(pairs.values())),
        "per_code": {code: _figures(table) for code, table in used.items()},
        "disagreements": {name: found for name, pair in pairs.items() if (found := _difference(*pair))},
    }


def _by_id(sentences: Sequence[LabelledSentence]) -> dict[str, LabelledSentence]:
    return {sentence.id: sentence for sentence in sentences}


def _by_code(sentence: LabelledSentence) -> dict[str, Label]:
    return {label.code: label for label in sentence.labels}


def _table(pairs: Sequence[Pair], code: str) -> Table:
    said = [(code in one, code in other) for one, other in pairs]
    cells = ((True, True), (True, False), (False, True), (False, False))
    return Table(*(said.count(cell) for cell in cells))


def _sum(tables: Sequence[Table]) -> Table:
    return Table(
        sum(table.both for table in tables),
        sum(table.first for table in tables),
        sum(table.second for table in tables),
        sum(table.neither for table in tables),
    )


def _figures(table: Table) -> dict[str, Any]:
    return {
        "both": table.both,
        "first_only": table.first,
        "second_only": table.second,
        "f1": round(table.f1, DECIMALS),
        "kappa": round(table.kappa, DECIMALS),
    }


def _attributes(pairs: Sequence[Pair]) -> dict[str, Any]:
    shared = [(one[code], other[code]) for one, other in pairs for code in one if code in other]
    parts: dict[str, Callable[[Label], object]] = {
        "stance": lambda label: label.stance,
        "subject": lambda label: label.subject,
        "severity": lambda label: label.severity,
    }
    agreed = {name: sum(part(a) == part(b) for a, b in shared) for name, part in parts.items()}
    return {"shared_signals": len(shared)} | {
        f"{name}_agreement": round(count / len(shared), DECIMALS) if shared else None for name, count in agreed.items()
    }


def _difference(one: dict[str, Label], other: dict[str, Label]) -> dict[str, list[str]]:
    """What only the first and only the second says; empty where they agree."""
    said, heard = set(one.values()), set(other.values())
    return {} if said == heard else {"first": _shown(said - heard), "second": _shown(heard - said)}


def _shown(labels: set[Label]) -> list[str]:
    return sorted(f"{each.code}/{each.stance}/{each.subject}/{each.severity}" for each in labels)
