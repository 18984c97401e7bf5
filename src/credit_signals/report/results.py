"""Results as JSON, in the shape of results.schema.json (JSON Schema draft 2020-12)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from credit_signals.domain import Activity, CompanyReport, Evidence, Rejection, Score, Signal


def results_json(run_id: str, reports: Sequence[CompanyReport], rejections: Sequence[Rejection]) -> dict[str, Any]:
    """The results of a run: every company, judged or not, and every refused line of its list."""
    return {
        "run_id": run_id,
        "companies": [_company(report) for report in reports],
        "rejected": [{"line": rejection.line, "reason": rejection.reason} for rejection in rejections],
    }


def results_schema() -> dict[str, Any]:
    """The JSON Schema that `results_json` keeps to."""
    schema: dict[str, Any] = json.loads((files(__package__) / "results.schema.json").read_text(encoding="utf-8"))
    return schema


def _company(report: CompanyReport) -> dict[str, Any]:
    return {
        "id": report.company.id,
        "name": report.company.name,
        "domain": report.company.domain,
        "status": str(report.status),
        "reason": report.reason,
        "pages": report.pages,
        "sections": report.sections,
        "unread_sections": dict(report.unread_sections),
        "unsure_statements": report.unsure_statements,
        "language": report.language,
        "activities": [_activity(activity) for activity in report.activities],
        "gauge": _gauge(report.gauge) if report.gauge else None,
        "signals": [_signal(signal) for signal in report.signals],
        "site_facts": [fact.model_dump(mode="json") for fact in report.site_facts],
    }


def _activity(activity: Activity) -> dict[str, Any]:
    return {
        "scheme": activity.scheme,
        "code": activity.code,
        "title": activity.title,
        "probability": activity.probability,
        "evidence": [_evidence(evidence) for evidence in activity.evidence],
    }


def _gauge(score: Score) -> dict[str, Any]:
    return {
        "value": score.value,
        "band": score.band,
        "base": score.base,
        "raw": score.raw,
        "contributions": [part.model_dump(mode="json") for part in score.contributions],
        "weights_version": score.weights_version,
    }


def _signal(signal: Signal) -> dict[str, Any]:
    return {
        **signal.model_dump(mode="json", exclude={"company_id", "evidence"}),
        "evidence": _evidence(signal.evidence),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return evidence.model_dump(mode="json", exclude={"sentences"})
