"""Question sets from a store, and templates from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_views import view
from typer.testing import CliRunner

from credit_signals.cli.tune_commands import tune_app
from credit_signals.domain import CompanyReport, Prediction, Run, SectionTask, SiteStatus, now
from credit_signals.errors import ConfigurationError
from credit_signals.store import MemoryStore, SqlStore
from credit_signals.store.base import ResultsStore, SiteRecord
from credit_signals.tuning.chat import read_rows
from credit_signals.tuning.questions.answer_form import GroundedAnswer, parse_answer
from credit_signals.tuning.questions.grounds import company_views
from credit_signals.tuning.questions.make import QuestionSettings, make_questions
from credit_signals.tuning.questions.templates import load_templates
from credit_signals.tuning.teacher import CODES, split_of


def fill(store: ResultsStore, *, read: bool = True) -> None:
    """One run of one company, read, scored and reported."""
    of = view()
    store.start_run(Run(id="r1", started_at=now()), [of.company], [])
    store.save_site(
        SiteRecord(
            run_id="r1", company_id="c1", status=SiteStatus.READ, reason="", pages=3, language="en", crawled_at=now(),
            graph=of.graph, facts=of.facts, sections=of.sections,
        )
    )  # fmt: skip
    tasks = [SectionTask.build(section, "1-reader") for section in of.sections]
    store.plan_tasks("r1", "c1", tasks, reread=False)
    store.save_predictions(
        [
            Prediction(
                task_id=task.id, content_hash=task.section.content_hash, reader_id="1-reader", read_at=now(),
                unread_reason="" if read else "language:en",
            )
            for task in tasks
        ]
    )  # fmt: skip
    store.save_signals(of.signals)
    store.save_report(
        CompanyReport(
            run_id="r1", company=of.company, status=SiteStatus.READ, signals=of.signals, activities=of.activities
        )
    )


def test_a_store_gives_a_question_set(tmp_path: Path) -> None:
    """The rows load as chats, and a company's rows are in the split of its sentences."""
    store = MemoryStore()
    fill(store)
    counts = make_questions(store, "", tmp_path / "q.jsonl", QuestionSettings(seed=3))
    rows = read_rows(tmp_path / "q.jsonl")
    assert counts["conversations"] == len(rows) > 10
    assert counts["kinds"] == {"follow-up": 7, "single": 7, "unanswerable": 3}
    assert {(row.group, row.split) for row in rows} == {("site/example.test", split_of("site/example.test", 3))}


def test_views_know_what_was_left_unread() -> None:
    """A section that no reader read, or that one could not, makes the company not wholly read."""
    store = MemoryStore()
    fill(store, read=False)
    assert [each.wholly_read for each in company_views(store)] == [False]


def test_runs_without_answers_are_refused(tmp_path: Path) -> None:
    """An empty store, an unknown run and a mix that nothing satisfies are named, and no file is left."""
    store = MemoryStore()
    with pytest.raises(ConfigurationError, match="no run yet"):
        make_questions(store, "", tmp_path / "q.jsonl", QuestionSettings())
    fill(store)
    with pytest.raises(ConfigurationError, match="no run r9"):
        make_questions(store, "r9", tmp_path / "q.jsonl", QuestionSettings())
    with pytest.raises(ConfigurationError, match="nothing to ask"):
        make_questions(store, "", tmp_path / "q.jsonl", QuestionSettings(0, 0, 0))
    assert not (tmp_path / "q.jsonl").exists()


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    """`tune questions` takes a database and prints the counts."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = SqlStore(url)
    store.migrate()
    fill(store)
    store.close()
    out = tmp_path / "q.jsonl"
    done = CliRunner().invoke(tune_app, ["questions", "--store", url, "--out", str(out), "--count", "5"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["conversations"] == 5 == len(read_rows(out))


def test_the_templates_cover_every_code() -> None:
    """Every code can be asked for, every stance and subject be answered."""
    templates = load_templates()
    assert {str(code) for code in templates.signals.about} == set(CODES)
    assert len(templates.signals.said) == len(templates.follow_ups.stance.said) == 5
    assert len(templates.follow_ups.subject.said) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{company}?", "{companies}?"), "unknown place {companies}"),
        (("[pages]", "[pages]\npark = ['Where?']"), "pages.park"),
        (("[signals.about]", "[signals.about]\nbad_luck = 'bad luck'"), "bad_luck"),
        (("system =", "system"), "not templates"),
    ],
)
def test_wrong_templates_are_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """A place that is not known, a page role or code that does not exist, and bad TOML are refused by name."""
    import credit_signals.tuning.questions as package

    text = (Path(package.__path__[0]) / "templates.toml").read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message) as refused:
        load_templates(path)
    assert str(path) in str(refused.value)


@given(st.text(max_size=40))
def test_any_text_can_be_taken_for_an_answer(text: str) -> None:
    """What a reader generates is never refused: it is said as a whole where it has no other form."""
    assert isinstance(parse_answer(text), GroundedAnswer)


def test_a_quote_may_hold_quotes() -> None:
    """The quote ends at its last quotation mark, also over lines."""
    answer = GroundedAnswer("Yes", 'He said "no"\nand left.', "https://example.test/a")
    assert parse_answer(str(answer)) == answer
