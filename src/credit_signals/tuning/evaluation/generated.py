"""Answers that a generative reader wrote to questions with references, and a larger model's verdict on them.

    {"id": "single/...", "answer": "Yes\\nQuote: \\"...\\"\\nPage: https://...", "right": true}

`id` is that of a chat row (tuning/chat.py) whose last message is the reference. `right`, a person's verdict, may be
left out; the judge is compared with it where every line has it, else with sameness to the reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.chat import ChatRow, read_rows
from credit_signals.tuning.json_lines import read_lines
from credit_signals.tuning.labelling.asking import Job
from credit_signals.tuning.labelling.compare import Table
from credit_signals.tuning.labelling.definitions import DATA, quote
from credit_signals.tuning.labelling.endpoint import ChatMessage
from credit_signals.tuning.labelling.label import Teacher, ask_teacher
from credit_signals.tuning.labelling.replies import TeacherReply
from credit_signals.tuning.questions.answer_form import parse_answer

_JUDGE = f"""\
You check answers to questions about a company's website.

{DATA}
Compare the value of "answer" with that of "reference", which is right. An answer is right when it says the same, in \
whatever words; it is wrong when it says otherwise, leaves out what was asked, or adds what the reference does not \
support. Answer with one JSON object and nothing else: {{"reason": "one short sentence", "verdict": "right"}}, \
or "wrong"."""


class VerdictReply(TeacherReply):
    """Whether an answer is right, and why."""

    reason: Annotated[str, Field(max_length=300)]
    verdict: Literal["right", "wrong"]


class GeneratedAnswer(BaseModel):
    """A line of generated answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    answer: str
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """How the judge did; `gold` says what it is compared with."""

    model: str
    judged: int
    failed: int
    gold: str
    agreement: float
    kappa: float


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of question. `quoted`: of the answers whose reference has a quote; None: nothing to count."""

    questions: int
    same: float
    quoted: float | None
    judged_right: float | None

    def shares(self) -> tuple[float | None, ...]:
        """The columns of a table."""
        return (self.same, self.quoted, self.judged_right)


@dataclass(frozen=True, slots=True)
class GeneratedFigures:
    """Figures by kind of question, which stands before the slash of its id, and of all."""

    kinds: dict[str, KindFigures]
    judge: JudgeFigures | None


@dataclass(frozen=True, slots=True)
class _Pair:
    row: ChatRow
    given: GeneratedAnswer

    @property
    def same(self) -> bool:
        reference = self.row.messages[-1].content
        return _plain(parse_answer(self.given.answer).said) == _plain(parse_answer(reference).said)

    @property
    def quoted(self) -> bool | None:
        """Whether the quote is verbatim in what was shown; None where the reference has none."""
        if not parse_answer(self.row.messages[-1].content).quote:
            return None
        quote = parse_answer(self.given.answer).quote
        return bool(quote) and any(quote in each.content for each in self.row.messages if each.role == "user")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def measure_generated(questions: Path, answers: Path, judge: Teacher | None) -> GeneratedFigures:
    """Measure generated answers; with a judge, its verdicts too. Raises ConfigurationError, TeacherUnavailable."""
    pairs = _pairs(questions, answers)
    verdicts = _verdicts(pairs, judge) if judge else {}
    kinds: dict[str, list[_Pair]] = {}
    for pair in pairs:
        kinds.setdefault(pair.row.id.split("/", 1)[0] if "/" in pair.row.id else "questions", []).append(pair)
    figures = {name: _figures(some, verdicts) for name, some in [*sorted(kinds.items()), ("all", pairs)]}
    return GeneratedFigures(figures, _agreement(pairs, verdicts, judge) if judge else None)


def _pairs(questions: Path, answers: Path) -> list[_Pair]:
    rows = {row.id: row for row in read_rows(questions)}
    pairs: list[_Pair] = []
    for number, given in read_lines(answers, GeneratedAnswer, "an answer"):
        if given.id not in rows:
            raise ConfigurationError(f"{answers}, line {number}: {questions} holds no question {given.id}")
        pairs.append(_Pair(rows.pop(given.id), given))
    if not pairs:
        raise ConfigurationError(f"{answers}: holds no answer")
    return pairs


def _verdicts(pairs: Sequence[_Pair], judge: Teacher) -> dict[str, bool]:
    jobs = [Job(pair.row.id, _messages(pair)) for pair in pairs]
    outcome, _ = ask_teacher("judged", jobs, VerdictReply, judge)
    return {name: reply.verdict == "right" for name, reply in outcome.answers.items()}


def _messages(pair: _Pair) -> list[ChatMessage]:
    question = pair.row.messages[-2].content
    told = {"question": question, "reference": pair.row.messages[-1].content, "answer": pair.given.answer}
    return [{"role": "system", "content": _JUDGE}, {"role": "user", "content": quote(told)}]


def _figures(pairs: Sequence[_Pair], verdicts: dict[str, bool]) -> KindFigures:
    quoted = [pair.quoted for pair in pairs if pair.quoted is not None]
    judged = [verdicts[pair.row.id] for pair in pairs if pair.row.id in verdicts]
    return KindFigures(
        questions=len(pairs),
        same=sum(pair.same for pair in pairs) / len(pairs),
        quoted=sum(quoted) / len(quoted) if quoted else None,
        judged_right=sum(judged) / len(judged) if judged else None,
    )


def _agreement(pairs: Sequence[_Pair], verdicts: dict[str, bool], judge: Teacher) -> JudgeFigures:
    by_person = all(pair.given.right is not None for pair in pairs)
    gold = {pair.row.id: bool(pair.given.right) if by_person else pair.same for pair in pairs}
    both = [(verdicts[name], right) for name, right in gold.items() if name in verdicts]
    cells = Table(*(both.count(cell) for cell in ((True, True), (True, False), (False, True), (False, False))))
    return JudgeFigures(
        model=judge.endpoint.model,
        judged=len(both),
        failed=len(pairs) - len(both),
        gold="a person's verdicts" if by_person else "sameness to the reference",
        agreement=(cells.both + cells.neither) / max(1, len(both)),
        kappa=cells.kappa,
    )
