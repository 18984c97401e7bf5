"""One-token questions on a causal model: what was read stays in memory, and every question costs its own tokens only.

The instruction is computed once. A text's tokens are computed once for all its questions, in the same batch as the
first of them; answers are read from the logits behind each question, so nothing is generated. Decoding a free answer
costs more than the whole of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from credit_signals.errors import ModelRefused, ReadFailed
from credit_signals.inference.llama import Context, ContextOptions, Model, Segment

AT_ONCE = 2  # texts per batch
QUESTIONS_AT_ONCE = 8  # questions per text and batch
LEAST_TEXT_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Question:
    """A question as tokens; the answer is one of `labels` (tokens)."""

    tokens: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The share of each label; `best` is the place of the first choice, `margin` its lead over the second."""

    shares: tuple[float, ...]

    @property
    def best(self) -> int:
        """The place of the most probable label."""
        return max(range(len(self.shares)), key=self.shares.__getitem__)

    @property
    def margin(self) -> float:
        """Distance between the first and the second choice."""
        ranked = sorted(self.shares, reverse=True)
        return ranked[0] - (ranked[1] if len(ranked) > 1 else 0.0)


class Asker:
    """Asks questions on up to `AT_ONCE` texts at a time. Raises ModelRefused when the instruction does not fit.

    `adapter` is one that the model has loaded. Several askers, each with its own, may share a model.
    """

    def __init__(
        self, model: Model, instruction: Sequence[int], memory: int, threads: int = 1, adapter: Any | None = None
    ) -> None:
        self._context = Context(model, ContextOptions(memory, 1 + AT_ONCE * QUESTIONS_AT_ONCE, threads))
        self._start = len(instruction)
        self._texts: list[Sequence[int]] = []
        self._unread: set[int] = set()
        self.tokens = 0  # computed so far
        if not 0 < self._start <= memory // 2 or self.text_tokens < LEAST_TEXT_TOKENS:
            self.close()
            raise ModelRefused(f"{model.path}: an instruction of {self._start} tokens leaves too little of {memory}")
        if adapter is not None:
            self._context.use_adapter(adapter)
        self._context.run([Segment(instruction, (0,))])
        for sequence in range(1, self._context.options.sequences):
            self._context.share(0, sequence)

    @property
    def text_tokens(self) -> int:
        """The most tokens that a text may have; as many are kept for its questions of one round."""
        room = (self._context.options.tokens - self._start) // (2 * AT_ONCE)
        return min(room, (self._context.model.trained_length - self._start) // 2)

    def fits(self, question: Question) -> bool:
        """Whether as many such questions as are asked at once can be asked."""
        return 0 < len(question.tokens) * QUESTIONS_AT_ONCE <= self.text_tokens

    def begin(self, texts: Sequence[Sequence[int]]) -> None:
        """Forget the former texts and take these. Raises ReadFailed when there are too many or one is too long."""
        if len(texts) > AT_ONCE or any(not 0 < len(text) <= self.text_tokens for text in texts):
            raise ReadFailed(f"{len(texts)} texts of {[len(text) for text in texts]} tokens do not fit a batch")
        for sequence in range(1, self._context.options.sequences):
            self._context.forget(sequence, self._start)
        self._texts = list(texts)
        self._unread = set(range(len(texts)))

    def ask(self, questions: Sequence[Sequence[Question]]) -> list[list[Answer]]:
        """The answers to each text's questions. Raises ReadFailed when one question is too long."""
        answers: list[list[Answer]] = [[] for _ in questions]
        rounds = max((-(-len(asked) // QUESTIONS_AT_ONCE) for asked in questions), default=0)
        for number in range(rounds):
            part = slice(number * QUESTIONS_AT_ONCE, (number + 1) * QUESTIONS_AT_ONCE)
            for text, found in enumerate(self._round([asked[part] for asked in questions])):
                answers[text] += found
        return answers

    def _round(self, questions: Sequence[Sequence[Question]]) -> list[list[Answer]]:
        self._check(questions)
        segments: list[Segment] = []
        ends: list[list[int]] = []
        length = 0
        for text, asked in enumerate(questions):
            if not asked:
                ends.append([])
                continue
            sequences = self._sequences(text)
            if text in self._unread:
                segments.append(Segment(self._texts[text], sequences, self._start))
                length += len(self._texts[text])
                self._unread.discard(text)
            position = self._start + len(self._texts[text])
            ends.append([])
            for sequence, question in zip(sequences, asked, strict=False):
                segments.append(Segment(question.tokens, (sequence,), position, output=True))
                length += len(question.tokens)
                ends[-1].append(length - 1)
        self.tokens += self._context.run(segments)
        answers = [
            [self._answer(end, question) for end, question in zip(places, asked, strict=True)]
            for places, asked in zip(ends, questions, strict=True)
        ]
        self._forget_questions(questions)
        return answers

    def _check(self, questions: Sequence[Sequence[Question]]) -> None:
        for asked in questions:
            if sum(len(question.tokens) for question in asked) > self.text_tokens:
                raise ReadFailed(f"{len(asked)} questions need more than {self.text_tokens} tokens")

    def _forget_questions(self, questions: Sequence[Sequence[Question]]) -> None:
        for text, asked in enumerate(questions):
            for sequence in self._sequences(text)[: len(asked)]:
                self._context.forget(sequence, self._start + len(self._texts[text]))

    @staticmethod
    def _sequences(text: int) -> tuple[int, ...]:
        first = 1 + text * QUESTIONS_AT_ONCE
        return tuple(range(first, first + QUESTIONS_AT_ONCE))

    def _answer(self, end: int, question: Question) -> Answer:
        logits = self._context.logits(end)[list(question.labels)].astype(np.float64)
        powers = np.exp(logits - logits.max())
        return Answer(tuple(float(share) for share in powers / powers.sum()))

    def close(self) -> None:
        """Free the memory; the model stays."""
        self._context.close()
