"""Sentences of the store."""

from __future__ import annotations

import pytest

from credit_signals.domain import (
    Company,
    FoundSignal,
    PageRole,
    Prediction,
    Run,
    Section,
    SectionTask,
    Sentence,
    SiteStatus,
    Stance,
    Subject,
    now,
)
from credit_signals.errors import ConfigurationError
from credit_signals.store import MemoryStore
from credit_signals.store.base import SiteRecord
from credit_signals.tuning.dataset.candidates import NOTHING, UNREAD, Candidate
from credit_signals.tuning.dataset.store_source import store_candidates

READER = "1-reader"
COMPANY = Company(id="c1", name="Example", domain="example.test", url="https://example.test/")


def _section(text: str, language: str = "en") -> Section:
    stops = [place for place, letter in enumerate(text) if letter == "."]
    starts = [0, *(stop + 2 for stop in stops[:-1])]
    sentences = tuple(
        Sentence(number=number, start=start, end=stop + 1)
        for number, (start, stop) in enumerate(zip(starts, stops, strict=True), start=1)
    )
    return Section.build(
        company_id="c1", url="https://example.test/news", role=PageRole.NEWS, heading_path=("News", "Leeds"),
        text=text, sentences=sentences, language=language,
    )  # fmt: skip


def _signal(code: str, sentence: int, margin: float) -> FoundSignal:
    return FoundSignal(
        code=code, sentence=sentence, stance=Stance.PLANNED, subject=Subject.COMPANY, severity=2, confidence=0.6,
        margin=margin,
    )  # fmt: skip


def _store(*read: tuple[Section, tuple[FoundSignal, ...] | None], unread_reason: str = "") -> MemoryStore:
    """A store of one company; a section with None was never read."""
    store = MemoryStore()
    run = Run(id="r1", started_at=now())
    store.start_run(run, [COMPANY], [])
    sections = tuple(section for section, _ in read)
    store.save_site(
        SiteRecord(
            run_id="r1", company_id="c1", status=SiteStatus.READ, reason="", pages=1, language="en", crawled_at=now(),
            sections=sections,
        )
    )  # fmt: skip
    tasks = [SectionTask.build(section, READER) for section in sections]
    store.plan_tasks("r1", "c1", tasks, reread=False)
    store.save_predictions(
        [
            Prediction(
                task_id=task.id, content_hash=task.section.content_hash, reader_id=READER, signals=signals,
                unread_reason=unread_reason, read_at=now(),
            )
            for task, (_, signals) in zip(tasks, read, strict=True)
            if signals is not None
        ]
    )  # fmt: skip
    return store


def _codes(candidates: list[Candidate]) -> list[list[tuple[str, str]]]:
    return [[(cell.code, cell.band) for cell in each.strata] for each in candidates]


def test_sentences_carry_context_source_and_prediction() -> None:
    """A row holds what a teacher needs, and its company is what it is split by."""
    section = _section("We close Leeds. York stays open.")
    store = _store((section, (_signal("site_closure", 1, 0.05), _signal("layoffs", 1, 0.4))))
    first, second = store_candidates(store)
    assert _codes([first, second]) == [[("site_closure", "near"), ("layoffs", "far")], [(NOTHING, "")]]
    assert (first.row.src, first.row.prev, first.row.text) == ("site/example.test", "Leeds", "We close Leeds.")
    assert (second.row.prev, second.row.text) == ("We close Leeds.", "York stays open.")
    assert first.row.record()["predicted"] == ["site_closure", "layoffs"]
    assert first.strata[0].role == "news"


def test_what_no_reader_read_is_a_cell_of_its_own() -> None:
    """Sections without answer, and those in a language that the reader does not know, can be sampled too."""
    section = _section("Wir schließen Leeds.", "de")
    assert _codes(list(store_candidates(_store((section, None))))) == [[(UNREAD, "")]]
    assert _codes(list(store_candidates(_store((section, ()), unread_reason="language:de")))) == [[(UNREAD, "")]]


def test_a_run_that_is_not_there_is_named() -> None:
    """A wrong id, or an empty store, is a clear refusal."""
    with pytest.raises(ConfigurationError, match="no run yet"):
        list(store_candidates(MemoryStore()))
    with pytest.raises(ConfigurationError, match="no run r9"):
        list(store_candidates(MemoryStore(), "r9"))
