"""`credit-signals run` on the whole sample web, judged by its truth file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.e2e.conftest import SAMPLE_WEB, CommandLine

from credit_signals.store import SqlStore

LEAST_ACTIVITY = 0.75
SCHEMA = Path(__file__).resolve().parents[2] / "src/credit_signals/report/results.schema.json"


def _by_domain(results: dict[str, Any]) -> dict[str, Any]:
    return {company["domain"]: company for company in results["companies"]}


def _english(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [company for company in truth.values() if company["language"] == "en" and company["status"] == "read"]


def test_results_are_valid(results: dict[str, Any]) -> None:
    """The results file keeps to its published schema."""
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(results)


def test_every_company_has_its_status(results: dict[str, Any], truth: dict[str, Any]) -> None:
    """Every sample company has the status that its site deserves."""
    found = {domain: company["status"] for domain, company in _by_domain(results).items()}
    assert found == {domain: company["status"] for domain, company in truth.items()}


def test_every_quote_is_the_stored_text(results: dict[str, Any], command_line: CommandLine) -> None:
    """Every quote equals its stored section at its offsets."""
    store = SqlStore(f"sqlite:///{command_line.data_dir / 'store.db'}")
    evidence = [
        each
        for company in results["companies"]
        for each in [
            *(signal["evidence"] for signal in company["signals"]),
            *(quote for activity in company["activities"] for quote in activity["evidence"]),
        ]
    ]
    assert evidence
    for each in evidence:
        section = store.section(each["section_id"])
        assert section is not None
        assert section.text[each["start"] : each["end"]] == each["quote"]
        assert section.url == each["url"]
    store.close()


@pytest.mark.parametrize(("languages", "least"), [(["en"], 0.70), (["de", "fr"], 0.60)])
def test_signals_of_sites(results: dict[str, Any], truth: dict[str, Any], languages: list[str], least: float) -> None:
    """Precision and recall by (company, code) reach a bar, higher for English, which has more training text."""
    judged = {c["domain"]: c for c in truth.values() if c["language"] in languages and c["status"] == "read"}
    found = {(company["domain"], signal["code"]) for company in results["companies"] for signal in company["signals"]}
    found = {pair for pair in found if pair[0] in judged}
    expected = {(domain, signal["code"]) for domain, company in judged.items() for signal in company["signals"]}
    right = found & expected
    precision, recall = len(right) / len(found), len(right) / len(expected)
    print(f"signals on {languages} sites: precision {precision:.2f}, recall {recall:.2f}, {len(expected)} expected")
    print(f"missed: {sorted(expected - found)}\nwrong: {sorted(found - expected)}")
    assert precision >= least
    assert recall >= least


def test_activity_of_english_sites(results: dict[str, Any], truth: dict[str, Any]) -> None:
    """The NACE section is right for at least 75% of the English sites."""
    companies = _by_domain(results)
    judged = [company for company in _english(truth) if company.get("nace_section")]
    found = {company["domain"]: _nace_section(companies[company["domain"]]) for company in judged}
    right = [company for company in judged if found[company["domain"]] == company["nace_section"]]
    wrong = {c["domain"]: (found[c["domain"]], c["nace_section"]) for c in judged if c not in right}
    print(f"NACE section right for {len(right)} of {len(judged)}; wrong (found, true): {wrong}")
    assert len(right) / len(judged) >= LEAST_ACTIVITY


def _nace_section(company: dict[str, Any]) -> str:
    sections = [each for each in company["activities"] if each["scheme"] == "NACE2" and len(each["code"]) == 1]
    return max(sections, key=lambda each: each["probability"])["code"] if sections else ""


def test_a_second_run_reads_nothing(results: dict[str, Any], truth: dict[str, Any], command_line: CommandLine) -> None:
    """The same crawl again queues no section; one changed page re-reads only what changed; a removed statement ends."""
    again = command_line.run(SAMPLE_WEB / "companies.csv")
    store = SqlStore(f"sqlite:///{command_line.data_dir / 'store.db'}")
    first, second = results["run_id"], again["run_id"]
    assert first != second
    assert store.queued_count(second) == 0
    assert {c["domain"]: c["status"] for c in again["companies"]} == {
        c["domain"]: c["status"] for c in results["companies"]
    }

    domain, signal = _removable(results, truth)
    path = "/" + signal["evidence"]["url"].split("/", 3)[3]
    command_line.web.edit(domain, path, signal["evidence"]["quote"], "Nothing else is new.")
    third = command_line.run(SAMPLE_WEB / "companies.csv")
    assert 1 <= store.queued_count(third["run_id"]) <= 2
    left = {each["id"] for each in _by_domain(third)[domain]["signals"] if each["withdrawn_at"] is None}
    assert signal["id"] not in left
    ended = next(each for each in store.signals(_by_domain(third)[domain]["id"]) if each.id == signal["id"])
    assert ended.withdrawn_at is not None
    store.close()


def _removable(results: dict[str, Any], truth: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A found signal whose quote stands in its page's file to the letter, on one page only."""
    for company in results["companies"]:
        folder = SAMPLE_WEB / "sites" / company["domain"]
        for signal in company["signals"]:
            quote = signal["evidence"]["quote"]
            files = [file for file in folder.rglob("*.htm*") if quote in file.read_text(errors="replace")]
            named = signal["evidence"]["url"].endswith(tuple(file.name for file in files)) if files else False
            if len(files) == 1 and named and files[0].read_text().count(quote) == 1:
                return company["domain"], signal
    pytest.fail("no signal of the sample web can be removed by editing one file")
