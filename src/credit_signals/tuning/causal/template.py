"""Which template rows are made by: its hash goes with the model, and a reader asks it by the same or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from credit_signals.errors import ConfigurationError
from credit_signals.inference.prompting import question_pieces
from credit_signals.inference.questions import Questions, load_questions
from credit_signals.tuning.chat import ChatRow


def template_hash(rows: Sequence[ChatRow], folder: Path | None, chat_template: str | None) -> str:
    """SHA-256 of the questions' template when rows ask them, else of the chat template (if any).

    Raises ConfigurationError when rows ask what the folder's questions do not, or no folder is given for them;
    ModelRefused when the folder cannot be read.
    """
    asking = [row for row in rows if row.pieces]
    if not asking:
        return hashlib.sha256((chat_template or "").encode("utf-8")).hexdigest()
    if folder is None:
        raise ConfigurationError(f"row {asking[0].id} asks a question of the product: name the folder of questions")
    questions = load_questions(folder)
    ends = {(question_pieces(questions.template, prompt)[-1].text, True) for prompt in all_prompts(questions)}
    start = (questions.template.instruction, True)
    for row in asking:
        if row.pieces[0] != start or row.pieces[-1] not in ends:
            raise ConfigurationError(f"row {row.id} is not asked as the questions in {folder} ask")
    return questions.template.sha256


def all_prompts(questions: Questions) -> Iterator[str]:
    """Every prompt that a reader can be asked by."""
    details = questions.details
    for group in questions.groups:
        yield group.prompt
        for event in group.event:
            yield event.prompt
            for table in (details.sentence, details.stance, details.subject, details.severity):
                yield table.prompt.replace("{event}", event.event)
