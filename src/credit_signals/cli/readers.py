"""What the commands of `credit-signals readers` do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from credit_signals import settings, wiring
from credit_signals.cli.deciding import current_user
from credit_signals.cli.show import say, screen
from credit_signals.domain import Outcome, Promotion, RegisteredReader, Trade
from credit_signals.errors import ConfigurationError
from credit_signals.store.base import ResultsStore
from credit_signals.tuning import promotion
from credit_signals.tuning.registration import ReaderFiles, describe_reader

FIGURES = ("micro_f1", "macro_f1")  # of the metrics, shown in the list where they are there
STYLES = {Outcome.PROMOTED: "green", Outcome.REFUSED: "yellow", Outcome.ROLLED_BACK: "red"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A promotion as it was typed."""

    reader: str
    answers: Sequence[Path]
    may_lose: float
    cost_factor: float | None
    trade: str
    by: str

    def stated_trade(self) -> Trade | None:
        """The trade, or None. Raises ConfigurationError for one without words, or words without one."""
        if not self.may_lose and self.cost_factor is None:
            if self.trade:
                raise ConfigurationError("--trade states no trade without --may-lose or --cost-factor")
            return None
        if not self.trade.strip():
            raise ConfigurationError("--may-lose and --cost-factor need --trade: why it is worth it, in words")
        if self.may_lose >= 1 or self.cost_factor == 0:
            raise ConfigurationError("--may-lose is below 1, --cost-factor above 0")
        return Trade(may_lose=self.may_lose, cost_factor=self.cost_factor, reason=self.trade.strip())


@contextmanager
def _registry() -> Iterator[ResultsStore]:
    store = wiring.open_store(settings.load())
    try:
        yield store
    finally:
        store.close()


def show_all() -> None:
    """A row per reader."""
    with _registry() as store:
        found, present = store.readers(), store.present_reader()
    if not found:
        say("no reader is registered; `credit-signals readers register --help` says how")
        return
    table = Table("", "reader", "kind", "registered", *FIGURES, "manifest")
    for reader in found:
        mark = "present" if present and present.id == reader.id else ""
        figures = [_figure(reader, name) for name in FIGURES]
        table.add_row(
            mark, reader.id, reader.kind, f"{reader.registered_at:%Y-%m-%d %H:%M}", *figures, Text(reader.manifest)
        )
    screen.print(table)
    if present is None:
        say("none of them is present: the reader of the settings reads")


def _figure(reader: RegisteredReader, name: str) -> str:
    value = reader.metrics.get(name)
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def show_one(wanted: str) -> None:
    """All that the store knows of a reader."""
    with _registry() as store:
        present = store.present_reader()
        reader = _find(store, wanted) if wanted else present
        decisions = store.promotions()
    if reader is None:
        raise ConfigurationError("no reader is promoted yet; name one of `credit-signals readers list`")
    about = reader.model_dump(mode="json", exclude={"metrics", "card"})
    for name, value in about.items():
        say(f"{name:<14} {value}")
    say(f"{'present':<14} {'yes' if present and present.id == reader.id else 'no'}\n")
    say(json.dumps(reader.metrics, indent=1, ensure_ascii=False))
    say(f"\n{reader.card.strip()}\n")
    _say_decisions([each for each in decisions if reader.id in {each.reader_id, each.previous}])


def show_history() -> None:
    """Every decision."""
    with _registry() as store:
        decisions = store.promotions()
    _say_decisions(decisions)
    if not decisions:
        say("no decision yet")


def _say_decisions(decisions: Sequence[Promotion]) -> None:
    for each in decisions:
        reader, before = each.reader_id or "that of the settings", each.previous or "that of the settings"
        say(f"{each.at:%Y-%m-%d %H:%M:%S} {each.outcome} {reader} by {each.by}; before: {before}", STYLES[each.outcome])
        say(f"    {each.explanation}")


def _find(store: ResultsStore, wanted: str) -> RegisteredReader:
    found = [reader for reader in store.readers() if reader.id.startswith(wanted)]
    exact = [reader for reader in found if reader.id == wanted]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise ConfigurationError(f"reader {wanted!r} is not registered; `credit-signals readers list` shows which are")
    raise ConfigurationError(f"{wanted!r} begins the ids of {len(found)} readers; write more of it")


def register(files: ReaderFiles) -> None:
    """Keep a reader; its id alone on the last line."""
    with _registry() as store:
        kept = store.register_reader(describe_reader(files, wiring.place_for_workers(files.manifest)))
    say(f"registered; workers look for {kept.manifest}")
    say(kept.id)


def promote(wanted: Wanted) -> None:
    """Decide, show the figures, and end with exit code 1 when the reader is refused."""
    trade = wanted.stated_trade()
    with _registry() as store:
        reader = _find(store, wanted.reader)
        proposal = promotion.Proposal(
            reader=reader,
            manifest=wiring.manifest_of(reader),
            answers=promotion.load_evidence(wanted.answers),
            by=wanted.by or current_user(),
            trade=trade,
        )
        decision = promotion.promote(store, proposal)
        looks = promotion.looks(store, decision.comparison.data_hash) if decision.comparison else 0
    _say_decision(decision, looks)
    if decision.outcome is Outcome.REFUSED:
        raise typer.Exit(1)


def _say_decision(decision: Promotion, looks: int) -> None:
    if decision.comparison:
        compared = decision.comparison
        say(
            f"{compared.sentences} sentences of {compared.documents} documents, against {compared.other}; "
            f"readers judged on this split so far: {looks}"
        )
        for change in compared.figures:
            say(f"    {promotion.describe_figure(change)}")
        say(f"    {promotion.describe_cost(compared)}")
    say(f"reader {decision.reader_id} {decision.outcome}: {decision.explanation}", STYLES[decision.outcome])


def rollback(reason: str, by: str) -> None:
    """Go back by one promotion."""
    with _registry() as store:
        decision = promotion.rollback(store, wiring.manifest_of, by or current_user(), reason)
    say(
        f"{decision.previous} gives way to {decision.reader_id or 'the reader of the settings'}, which reads the runs "
        "opened from now on"
    )
