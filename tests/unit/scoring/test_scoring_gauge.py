"""The gauge: additive, signed, bounded, and never better for bad news."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import Evidence, Score, Signal, SiteFact, SiteStatus, Stance, Subject
from credit_signals.scoring import load_weights, score_company
from credit_signals.taxonomy.signals import BY_CODE, SIGNAL_CODES

WEIGHTS = load_weights()
AT = datetime(2026, 6, 1, tzinfo=UTC)
EVIDENCE = Evidence(url="https://a.example/", section_id="s", sentences=(1,), start=0, end=1, quote="x")
NEGATIVE = [entry.code for entry in SIGNAL_CODES if entry.tone == "negative"]


def signal(code: str = "layoffs", signal_id: str = "1", days: float = 0, **changes: object) -> Signal:
    """A signal first seen some days ago."""
    seen = AT - timedelta(days=days)
    values: dict[str, object] = {
        "id": signal_id,
        "company_id": "acme",
        "code": code,
        "stance": Stance.OCCURRED,
        "subject": Subject.COMPANY,
        "severity": 2,
        "confidence": 1.0,
        "evidence": EVIDENCE,
        "first_seen": seen,
        "last_seen": AT,
    }
    return Signal.model_validate(values | changes)


def score(*signals: Signal, facts: tuple[SiteFact, ...] = (), status: SiteStatus = SiteStatus.READ) -> Score:
    """The gauge; fails when there is none."""
    result = score_company(signals, facts, status, WEIGHTS, AT)
    assert result is not None
    return result


some_signal = st.builds(
    signal,
    st.sampled_from(sorted(BY_CODE)),
    st.uuids().map(str),
    st.floats(0, 3000),
    stance=st.sampled_from(list(Stance)),
    subject=st.sampled_from(list(Subject)),
    severity=st.integers(1, 3),
    confidence=st.floats(0, 1),
)
some_signals = st.lists(some_signal, max_size=12)


def test_a_site_that_states_nothing_stands_at_the_base() -> None:
    """Silence is neither good nor bad news."""
    assert score().value == WEIGHTS.base
    assert score().contributions == ()


def test_insolvency_alone_is_critical() -> None:
    """An existential event is not outweighed by the base."""
    assert score(signal("insolvency", severity=3)).band == "critical"


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (signal(severity=1), signal(severity=3)),
        (signal(stance=Stance.POSSIBLE), signal(stance=Stance.PLANNED)),
        (signal(subject=Subject.CUSTOMER), signal(subject=Subject.COMPANY)),
        (signal(confidence=0.5), signal(confidence=0.9)),
        (signal(days=900), signal(days=30)),
    ],
    ids=["severity", "stance", "subject", "confidence", "freshness"],
)
def test_each_factor_weighs(weaker: Signal, stronger: Signal) -> None:
    """Severity, stance, subject, confidence and freshness each change the points."""
    assert score(stronger).contributions[0].points < score(weaker).contributions[0].points < 0


def test_denied_and_withdrawn_statements_do_not_count() -> None:
    """A denial is no evidence, and a statement that vanished has ended."""
    assert score(signal(stance=Stance.DENIED), signal("recall", "2", withdrawn_at=AT)).contributions == ()


@given(some_signals, some_signal, st.sampled_from([{"stance": Stance.DENIED}, {"subject": Subject.COMPETITOR}]))
def test_a_denial_or_a_rivals_trouble_moves_nothing(
    signals: list[Signal], added: Signal, changes: dict[str, object]
) -> None:
    """Added to any other statements, also of its own code, it changes neither gauge nor contributions."""
    with_it = score(*signals, added.model_copy(update=changes))
    assert (with_it.value, with_it.contributions) == (score(*signals).value, score(*signals).contributions)


@given(st.sampled_from(NEGATIVE), st.sampled_from([Stance.PLANNED, Stance.POSSIBLE]), st.sampled_from(list(Subject)))
def test_plans_threats_and_other_peoples_troubles_weigh_less(code: str, stance: Stance, subject: Subject) -> None:
    """A plan weighs less than the event, a threat less than a plan, and anybody else's less than the company's own."""
    own = score(signal(code)).raw
    planned, possible = (score(signal(code, stance=each)).raw for each in (Stance.PLANNED, Stance.POSSIBLE))
    assert own < planned < possible < WEIGHTS.base
    if subject is not Subject.COMPANY:
        assert score(signal(code, stance=stance, subject=subject)).raw > score(signal(code, stance=stance)).raw


def test_many_of_one_code_weigh_less_and_less() -> None:
    """The second statement of a code counts half of the first, and says so."""
    first, second = score(signal(), signal(signal_id="2")).contributions
    assert first.points == 2 * second.points
    assert "no. 2 of its kind" in second.detail


def test_contributions_name_their_signal_and_their_factors() -> None:
    """A reader can follow each number."""
    (part,) = score(signal(days=540)).contributions
    assert (part.label, part.signal_id) == ("layoffs", "1")
    assert part.points == pytest.approx(-5.0)
    assert "severity 2" in part.detail
    assert "540 days ago" in part.detail


def test_site_faults_count_without_a_model() -> None:
    """Facts that name faults contribute; imprint facts do not."""
    facts = (
        SiteFact(key="stale_copyright", value="2019"),
        SiteFact(key="vanished_page", value="jobs", url="https://a.example/jobs"),
        SiteFact(key="vanished_page", value="team", url="https://a.example/team"),
        SiteFact(key="legal_name", value="Acme Ltd"),
    )
    parts = score(facts=facts).contributions
    assert [(part.fact_key, part.points) for part in parts] == [
        ("stale_copyright", -4.0),
        ("vanished_page", -4.0),
        ("vanished_page", -2.0),
    ]


@pytest.mark.parametrize("status", [SiteStatus.PARKED, SiteStatus.UNREACHABLE])
def test_a_dead_site_is_scored_by_that_fact(status: SiteStatus) -> None:
    """A parked or dead site is evidence by itself, counted once whether or not the crawl listed it as a fact."""
    implied = score(status=status)
    listed = score(status=status, facts=(SiteFact(key=str(status), value="the site is " + status),))
    assert implied.value == listed.value < WEIGHTS.base
    assert [part.fact_key for part in implied.contributions] == [str(status)]


@pytest.mark.parametrize(
    "status", set(SiteStatus) - {SiteStatus.READ, SiteStatus.PARKED, SiteStatus.UNREACHABLE}, ids=str
)
def test_a_site_that_was_not_read_is_not_judged(status: SiteStatus) -> None:
    """No gauge without anything to judge; signals of earlier runs that still stand are something."""
    facts = (SiteFact(key="tls_failure", value="expired"),)
    assert score_company([], facts, status, WEIGHTS, AT) is None
    assert score_company([signal(withdrawn_at=AT)], facts, status, WEIGHTS, AT) is None
    assert score_company([signal()], (), status, WEIGHTS, AT) is not None


def test_text_that_was_not_read_is_not_judged() -> None:
    """A site in a language that the reader does not know gets no gauge, unless something else is known."""
    assert score_company([], (), SiteStatus.READ, WEIGHTS, AT, text_read=False) is None
    assert score_company([signal()], (), SiteStatus.READ, WEIGHTS, AT, text_read=False) is not None
    assert score_company([], (), SiteStatus.PARKED, WEIGHTS, AT, text_read=False) is not None


@given(some_signals, st.lists(st.sampled_from(sorted(WEIGHTS.facts)), max_size=5))
def test_the_parts_add_up(signals: list[Signal], keys: list[str]) -> None:
    """Base and contributions give the value before clipping; the clipped value lies in its band."""
    result = score(*signals, facts=tuple(SiteFact(key=key, value=str(n)) for n, key in enumerate(keys)))
    raw = fsum([result.base, *(part.points for part in result.contributions)])
    assert result.value == min(100, max(1, round(raw)))
    assert result.raw == raw
    assert result.band == WEIGHTS.band(result.value)


@given(some_signals, some_signal, st.sampled_from(NEGATIVE))
def test_a_bad_signal_never_raises_the_gauge(signals: list[Signal], added: Signal, code: str) -> None:
    """Adding a negative signal lowers the gauge or leaves it, diminishing included."""
    bad = added.model_copy(update={"code": code})
    assert score(*signals, bad).value <= score(*signals).value


@given(some_signals, st.randoms(use_true_random=False))
def test_order_does_not_matter(signals: list[Signal], shuffler: random.Random) -> None:
    """The same signals in any order give the same score."""
    shuffled = list(signals)
    shuffler.shuffle(shuffled)
    assert score(*shuffled) == score(*signals)


def test_freshness_counts_from_the_day_of_publication() -> None:
    """An old post seen for the first time weighs little; one of this month is not called older than it may be."""
    new, old, of_month = signal(), signal(stated_on="2018-03-05"), signal(stated_on=f"{AT:%Y-%m}")
    points = [score(each).contributions[0].points for each in (new, old, of_month)]
    assert points[1] == pytest.approx(0.05 * points[0])
    assert points[2] == pytest.approx(points[0])
    assert "published" in score(old).contributions[0].detail
