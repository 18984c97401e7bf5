"""Texts straight to a reader: no crawl, no queue, no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from credit_signals.domain import Evidence, Prediction, Section, now
from credit_signals.errors import ReadFailed
from credit_signals.inference.base import Reader
from credit_signals.pipeline.judging import unread_reason
from credit_signals.scoring import find_activities, find_signals
from credit_signals.sections.plain import split_text
from credit_signals.taxonomy.activities import title_of

BATCH = 32  # texts read at once


class TextLine(BaseModel):
    """One line of the input. `context` is what stood before the text; `language` its code where it is known."""

    id: str | int
    text: str
    context: str = ""
    language: str = "en"


def read_lines(reader: Reader, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One answer per line of JSON, same order; a line that cannot be read gives an answer with `error`."""
    for batch in _batches(enumerate(lines, start=1)):
        texts = [_parse(number, line) for number, line in batch]
        cut = {
            index: split_text(str(text.id), text.text, text.language, text.context)
            for index, text in enumerate(texts)
            if isinstance(text, TextLine)
        }
        predictions = _predictions(reader, [section for parts in cut.values() for _, section in parts])
        for index, text in enumerate(texts):
            yield _answer(text, cut[index], predictions) if isinstance(text, TextLine) else text


def _batches(lines: Iterable[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _parse(number: int, line: str) -> TextLine | dict[str, Any]:
    try:
        return TextLine.model_validate_json(line)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
        return {"id": None, "error": f"line {number}: {reason}"}


def _predictions(reader: Reader, sections: list[Section]) -> dict[str, Prediction]:
    """By content hash. A section that cannot be read is left out, so that its neighbours are still answered."""
    try:
        answers = reader.read(sections)
    except ReadFailed:
        if len(sections) == 1:
            return {}
        return {key: value for section in sections for key, value in _predictions(reader, [section]).items()}
    return {section.content_hash: answer for section, answer in zip(sections, answers, strict=True)}


def _answer(text: TextLine, parts: list[tuple[int, Section]], predictions: dict[str, Prediction]) -> dict[str, Any]:
    at = now()
    starts = {section.id: start for start, section in parts}
    sections = [section for _, section in parts]
    reasons = sorted({unread_reason(section, predictions) for section in sections} - {""})
    return {
        "id": text.id,
        "language": sections[0].language if sections else "",
        "unread_reason": ", ".join(reasons),
        "signals": [
            {
                "code": signal.code,
                "stance": signal.stance,
                "subject": signal.subject,
                "severity": signal.severity,
                "confidence": round(signal.confidence, 4),
                "evidence": _quote(signal.evidence, starts),
            }
            for signal in find_signals(str(text.id), sections, predictions, at)
        ],
        "activities": [
            {
                "scheme": activity.scheme,
                "code": activity.code,
                "title": activity.title,
                "probability": round(activity.probability, 4),
                "evidence": [_quote(evidence, starts) for evidence in activity.evidence],
            }
            for activity in find_activities(sections, predictions, title_of)
        ],
    }


def _quote(evidence: Evidence, starts: dict[str, int]) -> dict[str, Any]:
    offset = starts[evidence.section_id]
    return {"quote": evidence.quote, "start": evidence.start + offset, "end": evidence.end + offset}
