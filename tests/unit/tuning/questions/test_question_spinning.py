"""Questions spun from a company's site."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_views import HOME, graph, section, signal, view

from credit_signals.domain import Company, PageRole, SiteFact, Stance
from credit_signals.tuning.chat import ChatRow
from credit_signals.tuning.questions.answer_form import NOT_STATED, GroundedAnswer, parse_answer
from credit_signals.tuning.questions.grounds import CompanyView, find_grounds
from credit_signals.tuning.questions.make import QuestionSettings, question_rows
from credit_signals.tuning.questions.spinning import Conversation, Turn, leaks, spin
from credit_signals.tuning.questions.templates import load_templates

TEMPLATES = load_templates()
CODES = ("site_closure", "layoffs", "hiring", "litigation")
WORDS = st.text(st.sampled_from("abcdeé \"'-:0123\n"), min_size=1, max_size=25).filter(lambda text: text.strip() != "")


def conversations(of: CompanyView, seed: int = 1, passages: int = 3) -> list[Conversation]:
    """All conversations of a company."""
    return list(spin(of, TEMPLATES, passages, seed))


@st.composite
def some_views(draw: st.DrawFn) -> CompanyView:
    """Companies with any text, facts that stand in it or not, signals on any sentence, any pages."""
    texts = draw(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=4))
    sections = tuple(
        section(f"{HOME}{number}", ". ".join(parts) + ".", published=draw(st.sampled_from(["", "2026-05"])))
        for number, parts in enumerate(texts)
    )
    values = draw(st.lists(st.sampled_from([part for parts in texts for part in parts] + ["elsewhere"]), max_size=3))
    keys = st.sampled_from(sorted(TEMPLATES.facts))
    facts = tuple(SiteFact(key=draw(keys), value=" ".join(value.split()), url=sections[0].url) for value in values)
    places = [(each, number) for each in sections for number in range(1, len(each.sentences) + 1)]
    stated = draw(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(places)), max_size=3)) if places else []
    roles = draw(st.lists(st.sampled_from(PageRole), max_size=4))
    return view(
        company=Company(id="c1", name=draw(WORDS), domain="example.test", url=HOME),
        graph=graph(*((f"{HOME}page{number}", role) for number, role in enumerate(roles))),
        sections=sections,
        facts=facts,
        signals=tuple(signal(of, code, number, draw(st.sampled_from(Stance))) for code, (of, number) in stated),
        activities=(),
        wholly_read=draw(st.booleans()),
    )


@settings(max_examples=80, deadline=None)
@given(some_views(), st.integers(0, 5), st.integers(1, 4))
def test_every_answer_is_grounded_and_no_question_leaks(of: CompanyView, seed: int, passages: int) -> None:
    """A quote is verbatim in a section of its page and in what is shown; a page is of the site; no answer is asked."""
    pages = {each.url: each for each in of.graph.nodes}
    for each in conversations(of, seed, passages):
        for turn in each.turns:
            answer = turn.answer
            if each.kind == "unanswerable":
                assert answer == GroundedAnswer(NOT_STATED)
            elif answer.quote:
                assert any(answer.quote in one.text for one in of.sections if one.url == answer.page)
                assert answer.quote in each.shown
            else:
                assert answer.page in pages
                assert answer.page in each.shown
            assert not leaks(turn)
            assert parse_answer(str(answer)) == answer


@settings(max_examples=30, deadline=None)
@given(some_views(), st.integers(0, 5))
def test_the_same_seed_asks_the_same(of: CompanyView, seed: int) -> None:
    """Equal input and seed give equal rows; their ids are distinct and the chat format takes them."""
    settings_ = QuestionSettings(seed=seed)
    rows, counts = question_rows([of], TEMPLATES, settings_)
    again, _ = question_rows([of], TEMPLATES, settings_)
    assert rows == again
    assert len({row.id for row in rows}) == len(rows) == counts["conversations"]
    assert all(ChatRow.model_validate(row.model_dump()) == row for row in rows)


def test_seeds_differ() -> None:
    """Another seed asks in other words or another order."""
    assert question_rows([view()], TEMPLATES, QuestionSettings(seed=1)) != question_rows(
        [view()], TEMPLATES, QuestionSettings(seed=2)
    )


def test_what_is_told_and_what_is_not() -> None:
    """Facts, signals, activity and pages are asked for; what the site lacks becomes an unanswerable question."""
    found = conversations(view())
    told = {each.topic for each in found if each.kind == "single"}
    assert told == {
        "fact/vat_id", "fact/managing_director", "signal/site_closure", "activity/NACE2", "page/news", "page/jobs",
        "page/imprint",
    }  # fmt: skip
    absent = {each.topic for each in found if each.kind == "unanswerable"}
    assert {"signal/layoffs", "page/team"} <= absent
    assert not absent & told


def test_a_signal_is_asked_with_follow_ups() -> None:
    """The follow-ups tell how far it is real, whom it befalls, when it was published and where it stands."""
    said: set[str] = set()
    for seed in range(12):
        (found,) = [
            each
            for each in conversations(view(), seed)
            if (each.kind, each.topic) == ("follow-up", "signal/site_closure")
        ]
        assert found.turns[0].answer == GroundedAnswer("Yes", "We will close our Leeds depot.", HOME + "news")
        said |= {turn.answer.said for turn in found.turns[1:]}
    assert said == {"It is planned", "The company itself", "2026-03-01", HOME + "news"}


def test_a_fact_with_two_values_is_not_asked() -> None:
    """Where a site gives two numbers, neither is the answer; and the fact is not absent either."""
    facts = tuple(SiteFact(key="phone", value=value, url=HOME) for value in ("hammers", "forge"))
    grounds = find_grounds(view(facts=facts), ["phone", "vat_id"], [], [])
    assert not [each for each in grounds.told if "fact" in type(each).__name__.lower()]
    assert grounds.absent_facts == {"vat_id"}


def test_nobody_knows_what_an_unread_section_does_not_state() -> None:
    """A site that was read in part gives no question about a signal that it lacks."""
    found = conversations(view(wholly_read=False))
    assert not [each for each in found if each.kind == "unanswerable" and each.topic.startswith("signal/")]


def test_a_doubted_signal_is_not_absent() -> None:
    """What the reader was unsure of is neither asked for nor said to be missing."""
    found = conversations(view(doubted=frozenset({"layoffs"})))
    assert "signal/layoffs" not in {each.topic for each in found}


def test_a_question_that_holds_its_answer_is_left_out() -> None:
    """A company that is named as its legal name is not asked for it by name."""
    assert leaks(Turn("Who runs Jo Bell?", GroundedAnswer("Jo Bell", "Call Jo Bell.", HOME)))
    assert not leaks(Turn("Who runs Jo Bellamy?", GroundedAnswer("Jo Bell", "Call Jo Bell.", HOME)))
    named = view(company=Company(id="c1", name="Jo Bell", domain="example.test", url=HOME))
    assert "fact/managing_director" not in {each.topic for each in conversations(named)}


def test_hints_keep_doubtful_text_away() -> None:
    """A fact that was not found is asked over text in which nothing hints at it, and only then."""
    plain, hinting = section(HOME + "a", "Our cat is well."), section(HOME + "a", "Vatnumber: see below.")
    for text, asked in ((plain, True), (hinting, False)):
        bare = view(sections=(text,), facts=(), signals=(), activities=())
        topics = {each.topic for each in conversations(bare) if each.kind == "unanswerable"}
        assert ("fact/vat_id" in topics) is asked


@pytest.mark.parametrize(
    ("shares", "count", "kinds"),
    [
        ((0.4, 0.4, 0.2), 10, {"single": 4, "follow-up": 4, "unanswerable": 2}),
        ((1, 0, 0), 3, {"single": 3}),
        ((0, 0, 5), 2, {"unanswerable": 2}),
        ((1, 1, 2), 0, {"single": 7, "follow-up": 7, "unanswerable": 14}),
    ],
)
def test_the_mix_is_what_was_asked_for(shares: tuple[float, float, float], count: int, kinds: dict[str, int]) -> None:
    """The shares of the kinds hold exactly; without a count there are as many rows as they allow."""
    rows, counts = question_rows([view()], TEMPLATES, QuestionSettings(*shares, count=count))
    assert Counter(row.id.split("/")[0] for row in rows) == kinds == counts["kinds"]


def test_long_sections_are_cut_around_the_quote() -> None:
    """Of a long section whole sentences are shown, the quoted one among them."""
    long = section(HOME + "long", " ".join(f"Sentence number {number} is here." for number in range(120)))
    found = conversations(view(sections=(long,), facts=(), activities=(), signals=(signal(long, "layoffs", 90),)))
    (single,) = [each for each in found if each.topic == "signal/layoffs" and each.kind == "single"]
    assert single.turns[0].answer.quote == "Sentence number 89 is here."
    assert single.turns[0].answer.quote in single.shown
    assert len(single.shown) < 1100
