"""Activities: votes of the sections, level by level, with their sentences."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.domain import Activity, FoundActivity, PageRole, Prediction, Section, Sentence
from credit_signals.scoring import find_activities
from credit_signals.taxonomy.activities import level_of

AT = datetime(2026, 1, 1, tzinfo=UTC)


def section(name: str, role: PageRole = PageRole.ABOUT, length: int = 400) -> Section:
    """A section of two sentences."""
    first, second = f"We are {name}.", "x" * length + "."
    text = f"{first} {second}"
    sentences = (
        Sentence(number=1, start=0, end=len(first)),
        Sentence(number=2, start=len(first) + 1, end=len(text)),
    )
    url = f"https://a.example/{name}"
    return Section.build(company_id="a", url=url, role=role, text=text, sentences=sentences)


def activities(*votes: tuple[Section, dict[str, float]], scheme: str = "NACE2") -> list[Activity]:
    """The activities that these sections' candidates give."""
    predictions = {
        part.content_hash: Prediction(
            task_id=part.id,
            content_hash=part.content_hash,
            reader_id="r",
            activities=tuple(
                FoundActivity(scheme=scheme, code=code, probability=share, sentences=(1,))
                for code, share in found.items()
            ),
            read_at=AT,
        )
        for part, found in votes
    }
    return find_activities([part for part, _ in votes], predictions, lambda scheme, code: f"{scheme} {code}")


def test_levels_are_given_as_deep_as_one_code_has_enough() -> None:
    """Votes that agree on the division but not on the group end at the division."""
    result = activities((section("a"), {"25.1": 0.45, "25.6": 0.3}), (section("b"), {"25.6": 0.1, "25.9": 0.5}))
    assert [activity.code for activity in result] == ["C", "25"]
    assert result[0].title == "NACE2 C"
    deep = activities((section("a"), {"25.11": 0.9}), (section("b"), {"25.11": 0.7, "43.21": 0.3}))
    assert [activity.code for activity in deep][:2] == ["C", "F"]
    assert [activity.code for activity in deep][-2:] == ["25.11", "43.21"]


def test_shares_of_the_reader_win_over_sums() -> None:
    """Where the reader gives a level itself, that is taken."""
    result = activities((section("a"), {"C": 0.9, "25": 0.5, "28": 0.2}))
    assert {activity.code: activity.probability for activity in result} == pytest.approx(
        {"C": 0.9, "25": 0.5, "28": 0.2}
    )


def test_what_the_company_says_of_itself_outweighs_its_legal_pages() -> None:
    """Roles and lengths weigh the votes."""
    about, legal = section("about"), section("legal", PageRole.LEGAL)
    short = section("short", length=10)
    result = activities((about, {"F": 0.8}), (legal, {"M": 0.8}), (short, {"M": 0.8}))
    assert result[0].code == "F"
    assert result[0].probability > 0.7


def test_evidence_is_the_sentence_that_speaks() -> None:
    """Quotes come from the sections that speak most for the code, verbatim, each once."""
    votes = [(section(f"s{n}"), {"25": 0.5 + n / 10}) for n in range(5)]
    first = activities(*votes)[0]
    assert [evidence.quote for evidence in first.evidence] == ["We are s4.", "We are s3.", "We are s2."]
    by_id = {part.id: part for part, _ in votes}
    for evidence in first.evidence:
        assert by_id[evidence.section_id].text[evidence.start : evidence.end] == evidence.quote


def test_codes_outside_the_taxonomy_do_not_vote() -> None:
    """A code or scheme that does not exist is no activity and takes no share from the others."""
    assert activities((section("a"), {"00": 0.9, "25.99.9": 0.9, "": 0.9})) == []
    assert activities((section("a"), {"25": 0.9}), scheme="ISIC9") == []
    assert [activity.code for activity in activities((section("a"), {"00": 0.9, "25": 0.5}))] == ["C", "25"]


def test_nothing_read_gives_nothing() -> None:
    """No votes, no activity."""
    assert activities() == []
    assert activities((section("a"), {})) == []
    assert activities((section("a"), {"25": 0.0})) == []


@given(
    st.sampled_from(["NACE2", "NAICS2022"]),
    st.lists(
        st.dictionaries(
            st.from_regex(r"[0-9]{2}(\.[0-9]{1,2})?|[A-U]|", fullmatch=True), st.floats(0, 0.2), max_size=5
        ),
        max_size=5,
    ),
)
def test_probabilities_of_a_level_sum_to_at_most_one(scheme: str, votes: list[dict[str, float]]) -> None:
    """Whatever the reader says, shares stay probabilities."""
    result = activities(*[(section(f"s{n}"), vote) for n, vote in enumerate(votes)], scheme=scheme)
    sums: dict[int, float] = {}
    for activity in result:
        level = level_of(scheme, activity.code)
        sums[level] = sums.get(level, 0.0) + activity.probability
    assert all(share <= 1 + 1e-9 for share in sums.values())
