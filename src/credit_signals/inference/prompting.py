"""Prompts as tokens: the instruction, the numbered sentences of a section, the questions and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from credit_signals.domain import Section
from credit_signals.errors import ModelRefused
from credit_signals.inference.asking import Answer, Question
from credit_signals.inference.llama import Model
from credit_signals.inference.questions import Labels, Questions

MOST_SENTENCES = 20  # per chunk
LEAST_SENTENCES = 4  # a tokenizer must tell at least so many numbers apart by their first token
HEADING_CHARACTERS = 200
SENTENCE_CHARACTERS = 2000  # of a giant sentence the rest is not read
TABLES = ("judgement", "stance", "subject", "severity")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive sentences of a section, their numbers, and the prompt that shows them numbered from 1."""

    section: Section
    numbers: tuple[int, ...]
    tokens: tuple[int, ...]


class Prompter:
    """Turns questions and sections into tokens. Raises ModelRefused when the tokenizer cannot tell labels apart."""

    def __init__(self, model: Model, questions: Questions) -> None:
        self._model = model
        self._template = questions.template
        self._details = questions.details
        self._tables = {name: self._labels(name) for name in TABLES}
        self._numbers = self._sentence_labels()

    def instruction(self) -> list[int]:
        """What comes first, once."""
        start = [self._model.first_token] if self._model.adds_first_token else []
        return start + self._model.tokenize(self._template.instruction, special=True)

    def judge(self, prompt: str) -> Question:
        """A question for yes or no."""
        return self._question(prompt, "judgement")

    def is_yes(self, answer: Answer) -> bool:
        """Whether the judgement is yes."""
        return self.chosen("judgement", answer) == "yes"

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

    def split(self, section: Section, limit: int) -> list[Chunk]:
        """Chunks of at most `limit` tokens, with as many sentences as can be numbered and fit."""
        chunks: list[Chunk] = []
        taken: list[tuple[int, str]] = []
        for sentence in section.sentences:
            text = " ".join(section.quote(sentence.start, sentence.end).split())[:SENTENCE_CHARACTERS]
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
        """The template's parts may hold special tokens, the website's never do."""
        heading = " > ".join(section.heading_path)[-HEADING_CHARACTERS:]
        sentences = "\n".join(f"[{place}] {text}" for place, (_, text) in enumerate(taken, start=1))
        before, _, rest = self._template.section.partition("{heading}")
        between, _, after = rest.partition("{sentences}")
        return [
            *self._model.tokenize(before, special=True),
            *self._model.tokenize(heading),
            *self._model.tokenize(between, special=True),
            *self._model.tokenize(sentences),
            *self._model.tokenize(after, special=True),
        ]

    def _question(self, prompt: str, table: str) -> Question:
        return Question(self._tokens(prompt), tuple(self._tables[table].values()))

    def _tokens(self, prompt: str) -> tuple[int, ...]:
        return tuple(self._model.tokenize(self._template.question.replace("{prompt}", prompt), special=True))

    def _labels(self, name: str) -> dict[str, int]:
        """Label name -> first token of the label."""
        table: Labels = getattr(self._details, name)
        tokens = {label: self._first_token(text) for label, text in table.labels.items()}
        if len(set(tokens.values())) < len(tokens):
            raise ModelRefused(f"{self._model.path}: labels of {name!r} begin with the same token: {table.labels}")
        return tokens

    def _sentence_labels(self) -> tuple[int, ...]:
        """First tokens of " 1", " 2" and so on, for as long as they differ."""
        tokens: list[int] = []
        for number in range(1, MOST_SENTENCES + 1):
            token = self._first_token(f" {number}")
            if token in tokens:
                break
            tokens.append(token)
        if len(tokens) < LEAST_SENTENCES:
            raise ModelRefused(f"{self._model.path}: the tokenizer cannot tell numbers apart by their first token")
        return tuple(tokens)

    def _first_token(self, label: str) -> int:
        """The token that the model writes first when it answers with the label."""
        end = self._template.question[-1:]
        before = self._model.tokenize(end)
        both = self._model.tokenize(end + label)
        if both[: len(before)] != before or len(both) == len(before):
            raise ModelRefused(f"{self._model.path}: the label {label!r} melts into the question's last character")
        return both[len(before)]
