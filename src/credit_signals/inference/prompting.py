"""Prompts as tokens: the instruction, the numbered sentences of a section, the questions and their labels.

A prompt is made of pieces: the template's own may hold special tokens, the website's never do. Each piece is tokenized
alone. Training makes its rows of the same pieces, so that a reader is asked what it has learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from credit_signals.domain import Section
from credit_signals.errors import ModelRefused
from credit_signals.inference.asking import Answer, Question
from credit_signals.inference.questions import Labels, Questions, Template

MOST_SENTENCES = 20  # per chunk
LEAST_SENTENCES = 4  # a tokenizer must tell at least so many numbers apart by their first token
HEADING_CHARACTERS = 200
SENTENCE_CHARACTERS = 2000  # of a giant sentence the rest is not read
TABLES = ("judgement", "stance", "subject", "severity")


class Tokenizer(Protocol):
    """What makes tokens of text: a GGUF model, or in training the tokenizer that the GGUF is made from."""

    @property
    def path(self) -> Path:
        """Where it lies, for errors."""

    @property
    def first_token(self) -> int:
        """The token that opens a text."""

    @property
    def adds_first_token(self) -> bool:
        """Whether a text is opened by it."""

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids, none added. Text that looks like a special token stays text, unless `special`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt that is tokenized alone. In `special` ones special tokens are known."""

    text: str
    special: bool


def instruction_pieces(template: Template) -> list[Piece]:
    """What comes first, once."""
    return [Piece(template.instruction, special=True)]


def section_pieces(template: Template, heading_path: Sequence[str], sentences: Sequence[str]) -> list[Piece]:
    """The section with its sentences numbered from 1."""
    heading = " > ".join(heading_path)[-HEADING_CHARACTERS:]
    before, _, rest = template.section.partition("{heading}")
    between, _, after = rest.partition("{sentences}")
    numbered = "\n".join(f"[{place}] {text}" for place, text in enumerate(sentences, start=1))
    return [
        Piece(before, special=True),
        Piece(heading, special=False),
        Piece(between, special=True),
        Piece(numbered, special=False),
        Piece(after, special=True),
    ]


def question_pieces(template: Template, prompt: str) -> list[Piece]:
    """The question as the template puts it."""
    return [Piece(template.question.replace("{prompt}", prompt), special=True)]


def sentence_text(text: str) -> str:
    """A sentence as it is shown: on one line, and of a giant one the beginning only."""
    return " ".join(text.split())[:SENTENCE_CHARACTERS]


def tokenize_pieces(tokenizer: Tokenizer, pieces: Sequence[Piece]) -> list[int]:
    """The tokens of pieces, none added."""
    return [token for piece in pieces for token in tokenizer.tokenize(piece.text, special=piece.special)]


def opening_tokens(tokenizer: Tokenizer) -> list[int]:
    """What opens a prompt before its first piece."""
    return [tokenizer.first_token] if tokenizer.adds_first_token else []


def label_tokens(tokenizer: Tokenizer, question: str, label: str) -> list[int]:
    """The tokens of a label that is written after a question (or template of one). The first of them is the answer.

    Raises ModelRefused when the label melts into the question's last character.
    """
    before = tokenizer.tokenize(question[-1:])
    both = tokenizer.tokenize(question[-1:] + label)
    if both[: len(before)] != before or len(both) == len(before):
        raise ModelRefused(f"{tokenizer.path}: the label {label!r} melts into the question's last character")
    return both[len(before) :]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive sentences of a section, their numbers, and the prompt that shows them numbered from 1."""

    section: Section
    numbers: tuple[int, ...]
    tokens: tuple[int, ...]


class Prompter:
    """Turns questions and sections into tokens. Raises ModelRefused when the tokenizer cannot tell labels apart."""

    def __init__(self, model: Tokenizer, questions: Questions) -> None:
        self._model = model
        self._template = questions.template
        self._details = questions.details
        self._tables = {name: self._labels(name) for name in TABLES}
        self._numbers = self._sentence_labels()

    def instruction(self) -> list[int]:
        """What comes first, once."""
        return opening_tokens(self._model) + tokenize_pieces(self._model, instruction_pieces(self._template))

    def judge(self, prompt: str) -> Question:
        """A question for yes or no."""
        return self._question(prompt, "judgement")

    def is_yes(self, answer: Answer) -> bool:
        """Whether the judgement is yes."""
        return self.chosen("judgement", answer) == "yes"

    def yes_share(self, answer: Answer) -> float:
        """The probability that the judgement is yes."""
        return answer.shares[list(self._tables["judgement"]).index("yes")]

    def chosen(self, table: str, answer: Answer) -> str:
        """The name of the chosen label."""
        return list(self._tables[table])[answer.best]

    def details(self, event: str, sentences: int) -> list[Question]:
        """The questions for sentence, stance, subject and severity of an event."""
        which = self._details.sentence.prompt.replace("{event}", event)
        return [
            Question(self._tokens(which), self._numbers[:sentences]),
            self._question(self._details.stance.prompt.replace("{event}", event), "stance"),
            self._question(self._details.subject.prompt.replace("{event}", event), "subject"),
            self._question(self._details.severity.prompt.replace("{event}", event), "severity"),
        ]

    def alone(self, context: str, text: str, limit: int) -> list[int]:
        """The prompt that shows one sentence, what stands before it as its heading, in at most `limit` tokens."""
        pieces = section_pieces(self._template, [context] if context else [], [sentence_text(text)])
        return tokenize_pieces(self._model, pieces)[:limit]

    def split(self, section: Section, limit: int) -> list[Chunk]:
        """Chunks of at most `limit` tokens, with as many sentences as can be numbered and fit."""
        chunks: list[Chunk] = []
        taken: list[tuple[int, str]] = []
        for sentence in section.sentences:
            text = sentence_text(section.quote(sentence.start, sentence.end))
            if not any(map(str.isalpha, text)):
                continue
            longer = [*taken, (sentence.number, text)]
            full = len(longer) > len(self._numbers) or len(self._show(section, longer)) > limit
            if taken and full:
                chunks.append(self._chunk(section, taken, limit))
                longer = longer[-1:]
            taken = longer
        if taken:
            chunks.append(self._chunk(section, taken, limit))
        return chunks

    def _chunk(self, section: Section, taken: Sequence[tuple[int, str]], limit: int) -> Chunk:
        return Chunk(section, tuple(number for number, _ in taken), tuple(self._show(section, taken)[:limit]))

    def _show(self, section: Section, taken: Sequence[tuple[int, str]]) -> list[int]:
        pieces = section_pieces(self._template, section.heading_path, [text for _, text in taken])
        return tokenize_pieces(self._model, pieces)

    def _question(self, prompt: str, table: str) -> Question:
        return Question(self._tokens(prompt), tuple(self._tables[table].values()))

    def _tokens(self, prompt: str) -> tuple[int, ...]:
        return tuple(tokenize_pieces(self._model, question_pieces(self._template, prompt)))

    def _labels(self, name: str) -> dict[str, int]:
        """Label name -> first token of the label."""
        table: Labels = getattr(self._details, name)
        tokens = {label: self._first_token(text) for label, text in table.labels.items()}
        if len(set(tokens.values())) < len(tokens):
            raise ModelRefused(f"{self._model.path}: labels of {name!r} begin with the same token: {table.labels}")
        return tokens

    def _sentence_labels(self) -> tuple[int, ...]:
        """First tokens of 1, 2 and so on, for as long as they differ."""
        tokens: list[int] = []
        for number in range(1, MOST_SENTENCES + 1):
            token = self._first_token(self._details.sentence.written(number))
            if token in tokens:
                break
            tokens.append(token)
        if len(tokens) < LEAST_SENTENCES:
            raise ModelRefused(f"{self._model.path}: the tokenizer cannot tell numbers apart by their first token")
        return tuple(tokens)

    def _first_token(self, label: str) -> int:
        """The token that the model writes first when it answers with the label."""
        return label_tokens(self._model, self._template.question, label)[0]
