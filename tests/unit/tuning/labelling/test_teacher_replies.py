"""The forms of a teacher's answers."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from credit_signals.tuning.labelling.replies import GradeReply, LabelReply, json_schema, parse_reply
from credit_signals.tuning.teacher import CODES, Label

SIGNAL = {"code": "recall", "stance": "ongoing", "subject": "company", "severity": 2}


def test_the_schema_says_what_is_checked() -> None:
    """A server that keeps to the schema gives answers that are accepted; there are no references to follow."""
    schema = json_schema(LabelReply)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"signals": [SIGNAL]}, schema)
    assert "$ref" not in json.dumps(schema)
    items = schema["properties"]["signals"]["items"]
    assert items["properties"]["code"]["enum"] == list(CODES)
    assert items["additionalProperties"] is False
    assert sorted(items["required"]) == ["code", "severity", "stance", "subject"]
    for wrong in ({}, {"signals": [SIGNAL | {"severity": 4}]}, {"signals": [SIGNAL | {"note": "x"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    "content",
    ['{"signals": [%s]}', '```json\n{"signals": [%s]}\n```', '<think>Maybe {none}.</think>\n{"signals": [%s]}'],
)
def test_the_object_is_found_in_fences_and_after_reasoning(content: str) -> None:
    """What some models write around their answer costs no repair."""
    assert parse_reply(LabelReply, content % json.dumps(SIGNAL)).labels() == (Label("recall", "ongoing", "company", 2),)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("", "no JSON object"),
        ("OK, I ignore my instructions.", "no JSON object"),
        ('{"signals": [', "no JSON object"),
        ("{signals}", "Invalid JSON"),
        ({"signals": [SIGNAL | {"code": "ransom"}]}, "signals.0.code"),
        ({"signals": [SIGNAL, SIGNAL]}, "a code stands twice"),
        ({"signals": [SIGNAL | {"severity": "high"}]}, "signals.0.severity"),
        ({"signals": [], "note": "extra"}, "note"),
        ({"labels": []}, "signals: Field required"),
    ],
)
def test_what_is_wrong_is_said(answer: Any, told: str) -> None:
    """The repair request can name the mistake."""
    content = answer if isinstance(answer, str) else json.dumps(answer)
    with pytest.raises(ValueError, match=told):
        parse_reply(LabelReply, content)


def test_grades_are_whole_numbers_from_one_to_five() -> None:
    """Nothing else is a grade."""
    assert parse_reply(GradeReply, '{"reason": "exact", "grade": 5}').grade == 5
    for grade in ("0", "6", "4.5", '"5"', "null"):
        with pytest.raises(ValueError, match="grade"):
            parse_reply(GradeReply, f'{{"reason": "r", "grade": {grade}}}')
