"""Results as JSON keep to their schema."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import jsonschema
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from credit_signals.domain import CompanyReport, Rejection, SiteStatus, Stance, Subject
from credit_signals.report import results_json, results_schema
from credit_signals.taxonomy.signals import BY_CODE


def validate(results: dict[str, Any]) -> None:
    """Check results, as they are after a round trip through a file, against the schema."""
    validator = Draft202012Validator(results_schema(), format_checker=FormatChecker())
    validator.validate(json.loads(json.dumps(results)))


def test_the_schema_is_one() -> None:
    """The packaged schema is valid JSON Schema 2020-12 and names what the product knows."""
    schema = results_schema()
    Draft202012Validator.check_schema(schema)
    parts = schema["$defs"]
    assert set(parts["signal"]["properties"]["code"]["enum"]) == set(BY_CODE)
    assert set(parts["signal"]["properties"]["stance"]["enum"]) == set(Stance)
    assert set(parts["signal"]["properties"]["subject"]["enum"]) == set(Subject)
    assert set(parts["company"]["properties"]["status"]["enum"]) == set(SiteStatus)


def test_results_keep_to_the_schema(case: Any) -> None:
    """A company with everything, one that was not judged and a refused line are valid."""
    unjudged = CompanyReport(
        run_id="r", company=case.report.company, status=SiteStatus.ROBOTS_REFUSED, reason="robots.txt refuses all"
    )
    results = results_json("r", [case.report, unjudged], [Rejection(line=3, reason="no domain")])
    validate(results)
    assert results["companies"][1]["gauge"] is None
    assert results["rejected"] == [{"line": 3, "reason": "no domain"}]
    validate(results_json("r", [], []))


def test_a_signal_carries_its_quote_and_its_days(case: Any) -> None:
    """The evidence of each signal points into the stored section."""
    (company,) = results_json("r", [case.report], [])["companies"]
    for signal in company["signals"]:
        evidence = signal["evidence"]
        assert set(evidence) == {"url", "quote", "start", "end", "section_id"}
        if evidence["section_id"] in case.sections:
            text = case.sections[evidence["section_id"]].text
            assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
        assert datetime.fromisoformat(signal["first_seen"]) <= datetime.fromisoformat(signal["last_seen"])
    gauge = company["gauge"]
    assert gauge["raw"] == pytest.approx(gauge["base"] + sum(part["points"] for part in gauge["contributions"]))


def test_what_the_schema_does_not_know_is_refused(case: Any) -> None:
    """A wrong or further field fails, so the schema cannot fall behind unseen."""
    results = results_json("r", [case.report], [])
    results["companies"][0]["shoe_size"] = 43
    with pytest.raises(jsonschema.ValidationError):
        validate(results)
