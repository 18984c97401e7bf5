"""The texts of the activity index."""

import json
from pathlib import Path

import pytest

from credit_signals.errors import ConfigurationError
from credit_signals.taxonomy import activities as taxonomy
from credit_signals.tuning import activity_data
from credit_signals.tuning.gics import GICS, candidates

ROOT = Path(__file__).parents[3]
PHRASES = ROOT / "workers/section_reader/training/activity_phrases.jsonl"
SMALL = Path(__file__).with_name("small_businesses.jsonl")


@pytest.mark.parametrize("path", [PHRASES, SMALL])
def test_own_texts_name_real_codes(path: Path) -> None:
    """Every committed description has an existing six-digit NAICS code and an existing NACE class."""
    for known in activity_data.known_businesses(path):
        assert taxonomy.level_of(taxonomy.NAICS2022, known.naics) == 5, known
        assert taxonomy.level_of(taxonomy.NACE2, known.nace) == 4, known


def test_what_is_measured_on_is_not_trained_on() -> None:
    """No description of the test list is among the phrases of the index."""
    phrases = {known.text for known in activity_data.known_businesses(PHRASES)}
    assert not phrases & {known.text for known in activity_data.known_businesses(SMALL)}


def test_industries_lead_to_real_codes() -> None:
    """Every code that an industry may mean exists."""
    for industry in GICS:
        naics, nace = candidates(industry)
        assert naics
        assert nace
        assert all(taxonomy.title_of(taxonomy.NAICS2022, code) for code in naics)
        assert all(taxonomy.title_of(taxonomy.NACE2, code) for code in nace)
    assert candidates("Industrial Conglomerates") == ((), ())


def test_index_phrases_are_put_into_plain_words(tmp_path: Path) -> None:
    """The index's brackets become the words that firms use."""
    rows = [("Cheese (manufacture)", "10.51"), ("Toys (retail)", "47.65"), ("Roofing", "43.91")]
    lines = (json.dumps({"nace_rev2": code, "activity": phrase}) for phrase, code in rows)
    (tmp_path / "uksic2007_alphabetical_index.jsonl").write_text("\n".join(lines), encoding="utf-8")
    texts = [entry.text for entry in activity_data.nace_phrases(tmp_path)]
    assert texts == ["Manufacture of cheese", "Retail sale of toys", "Roofing"]


def test_companies_are_sampled_by_industry_and_held_out(tmp_path: Path) -> None:
    """Industries without a clear activity are left out, large ones are cut, and a fifth is held out."""
    rows = [{"summary": f"Bank number {n}.", "industry": "Banks"} for n in range(200)]
    rows += [{"summary": "Owns things.", "industry": "Industrial Conglomerates"}, {"summary": "", "industry": "Banks"}]
    path = tmp_path / "companies.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    companies = activity_data.described_companies(path, per_industry=150, seed=1)
    assert len(companies) == 150
    assert 15 < sum(company.held_out for company in companies) < 50
    assert companies == activity_data.described_companies(path, per_industry=150, seed=1)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """A line that is no JSON is named; so is a file that is missing."""
    (tmp_path / "x.jsonl").write_text("{}\n{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"x\.jsonl, line 2"):
        activity_data.described_companies(tmp_path / "x.jsonl", 1, 1)
    with pytest.raises(ConfigurationError, match=r"y\.jsonl cannot be read"):
        activity_data.known_businesses(tmp_path / "y.jsonl")
