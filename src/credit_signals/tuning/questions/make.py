"""Writes a question set from the results store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.domain import content_id
from credit_signals.errors import ConfigurationError
from credit_signals.store.base import ResultsStore
from credit_signals.tuning.chat import ChatRow, Message, write_rows
from credit_signals.tuning.questions.grounds import CompanyView, company_views
from credit_signals.tuning.questions.spinning import KINDS, Conversation, Kind, mixed, spin
from credit_signals.tuning.questions.templates import Templates, load_templates
from credit_signals.tuning.teacher import split_of


@dataclass(frozen=True, slots=True)
class QuestionSettings:
    """The mix. Shares need not sum to 1; `count` 0: as many as the shares allow; `passages`: sections shown at once."""

    single: float = 0.4
    follow_up: float = 0.4
    unanswerable: float = 0.2
    count: int = 0
    passages: int = 3
    seed: int = 1

    @property
    def shares(self) -> dict[Kind, float]:
        """By kind of conversation."""
        return dict(zip(KINDS, (self.single, self.follow_up, self.unanswerable), strict=True))


def make_questions(
    store: ResultsStore, run_id: str, out: Path, settings: QuestionSettings, templates: Path | None = None
) -> dict[str, Any]:
    """Write chat rows of a run's companies; gives the counts. Raises ConfigurationError, StoreUnavailable, OSError."""
    rows, counts = question_rows(company_views(store, run_id), load_templates(templates), settings)
    if not rows:
        raise ConfigurationError("nothing to ask: the run's companies tell nothing of what the shares want")
    write_rows(out, rows)
    return counts


def question_rows(
    views: Iterable[CompanyView], templates: Templates, settings: QuestionSettings
) -> tuple[list[ChatRow], dict[str, Any]]:
    """The rows and their counts. All rows of a company are in one split, that of its sentences."""
    possible = [each for view in views for each in spin(view, templates, settings.passages, settings.seed)]
    chosen = mixed(possible, settings.shares, settings.count, settings.seed)
    rows = [_row(each, templates.system, settings.seed) for each in chosen]
    return rows, {
        "companies": len({each.domain for each in chosen}),
        "conversations": len(chosen),
        "questions": sum(len(each.turns) for each in chosen),
        "kinds": _counted(chosen, lambda each: each.kind),
        "possible": _counted(possible, lambda each: each.kind),
        "topics": _counted(chosen, lambda each: each.topic.split("/")[0]),
        "splits": dict(sorted(Counter(row.split for row in rows).items())),
    }


def _counted(conversations: Sequence[Conversation], of: Any) -> dict[str, int]:
    return dict(sorted(Counter(map(of, conversations)).items()))


def _row(conversation: Conversation, system: str, seed: int) -> ChatRow:
    group = f"site/{conversation.domain}"
    messages = [Message(role="system", content=system)]
    for number, turn in enumerate(conversation.turns):
        asked = turn.question if number else f"{conversation.shown}\n\nQuestion: {turn.question}"
        messages += [Message(role="user", content=asked), Message(role="assistant", content=str(turn.answer))]
    asked_of = content_id(group, conversation.topic, *(turn.question for turn in conversation.turns))
    return ChatRow(
        id=f"{conversation.kind}/{asked_of}",
        group=group,
        split=split_of(group, seed),
        messages=tuple(messages),
    )
