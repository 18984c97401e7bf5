"""Many questions to one endpoint: at once up to a bound, each once, within a budget, with one chance of repair."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from credit_signals.errors import ConfigurationError, TeacherError, TeacherUnavailable
from credit_signals.tuning.labelling.endpoint import ChatClient, ChatMessage, Endpoint
from credit_signals.tuning.labelling.ledger import FREE, Ledger, Prices, key_of
from credit_signals.tuning.labelling.replies import TeacherReply, json_schema, parse_reply

SHOWN_ANSWER = 2000  # characters of a wrong answer that are sent back
BUDGET_SPENT = "budget spent"
ENDPOINT_GONE = "endpoint gone"
FAILURES_IN_A_ROW = 16  # requests without any answer after which the endpoint counts as gone

Kind = TypeVar("Kind", bound=TeacherReply)


@dataclass(frozen=True, slots=True)
class Job:
    """A question; `id` is that of the sentence."""

    id: str
    messages: Sequence[ChatMessage]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests at once, prices, and the dollars that all answers of the cache together may cost."""

    at_once: int = 8
    prices: Prices = FREE
    budget: float | None = None


@dataclass(slots=True)
class Outcome(Generic[Kind]):
    """Answers by id, failures by id, and what happened on the way. `stopped` says why jobs were left out, if any."""

    answers: dict[str, Kind] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""


class _BudgetSpent(Exception):
    """The next request might cost more than is left."""


class Purse:
    """Keeps requests within a budget: each reserves the most that it may cost, and waits while others hold the rest."""

    def __init__(self, budget: float | None, spent: float) -> None:
        self._budget = budget
        self._spent = spent
        self._reserved = 0.0
        self._requests = 0  # that hold a reservation
        self._changed = asyncio.Condition()

    async def reserve(self, most: float) -> bool:
        """Whether a request that costs `most` at most may be made."""
        async with self._changed:
            while self._budget is not None and self._spent + self._reserved + most > self._budget:
                if not self._requests:
                    return False
                await self._changed.wait()
            self._requests += 1
            self._reserved += most
            return True

    async def settle(self, most: float, cost: float) -> None:
        """The request is over and cost this."""
        async with self._changed:
            self._spent += cost
            self._requests -= 1
            self._reserved = self._reserved - most if self._requests else 0.0  # sums of floats drift
            self._changed.notify_all()


class _Asker(Generic[Kind]):
    def __init__(self, client: ChatClient, kind: type[Kind], ledger: Ledger, limits: Limits) -> None:
        self._client = client
        self._kind = kind
        self._name = kind.__name__
        self._schema = json_schema(kind)
        self._ledger = ledger
        self._limits = limits
        self._purse = Purse(limits.budget, ledger.spent())
        self._asking: dict[str, asyncio.Lock] = {}
        self._without_answer = 0
        self.outcome: Outcome[Kind] = Outcome()

    async def work(self, jobs: Iterator[Job], done: Callable[[], None]) -> None:
        """Take jobs until there are none, or the budget or the endpoint is gone."""
        for job in jobs:
            if self.outcome.stopped:
                return
            try:
                self.outcome.answers[job.id] = await self._answer(job)
            except _BudgetSpent:
                self.outcome.stopped = BUDGET_SPENT
                return
            except TeacherError as exc:
                self._note(job, str(exc), "without_answer")
                self._without_answer += 1
                if isinstance(exc, TeacherUnavailable):
                    self.outcome.stopped = f"{ENDPOINT_GONE}: {exc}"
                elif self._without_answer >= FAILURES_IN_A_ROW:  # a refusal may repeat page text: none of it in logs
                    told = f"{self._without_answer} requests in a row without answer, the reasons are with the failures"
                    self.outcome.stopped = f"{ENDPOINT_GONE}: {self._client.endpoint.address}: {told}"
            except ValueError as exc:
                self._note(job, f"not by the schema, even when told: {exc}", "invalid")
            done()

    def _note(self, job: Job, reason: str, count: str) -> None:
        self.outcome.failures[job.id] = reason
        self.outcome.counts[count] += 1

    async def _answer(self, job: Job) -> Kind:
        """The checked answer. Raises ValueError when it is wrong twice."""
        content = await self._content(job.messages)
        try:
            return parse_reply(self._kind, content)
        except ValueError as exc:
            self.outcome.counts["repairs"] += 1
            told = f"Your answer was refused: {exc}. Answer again, with the JSON object alone."
            again: list[ChatMessage] = [
                *job.messages,
                {"role": "assistant", "content": content[:SHOWN_ANSWER] or "(empty)"},
                {"role": "user", "content": told},
            ]
            return parse_reply(self._kind, await self._content(again))

    async def _content(self, messages: Sequence[ChatMessage]) -> str:
        body = self._client.endpoint.body(messages, self._name, self._schema)
        key = key_of(body)
        async with self._asking.setdefault(key, asyncio.Lock()):  # equal sentences are asked once
            known = self._ledger.answer(key)
            if known is not None:
                self.outcome.counts["from_cache"] += 1
                return known
            return await self._paid(key, body)

    async def _paid(self, key: str, body: dict[str, Any]) -> str:
        most = self._limits.prices.of(_most_prompt_tokens(body), self._client.endpoint.most_tokens)
        if not await self._purse.reserve(most):
            raise _BudgetSpent
        cost = 0.0
        try:
            reply = await self._client.ask(body)
            cost = self._limits.prices.of(reply.prompt_tokens, reply.completion_tokens)
            self._ledger.keep(key, self._client.endpoint.model, reply, cost)
        finally:
            await self._purse.settle(most, cost)
        self._without_answer = 0
        self.outcome.counts["asked"] += 1
        return reply.content


def _most_prompt_tokens(body: dict[str, Any]) -> int:
    """No tokenizer makes more tokens than there are bytes."""
    return len(json.dumps(body).encode())


async def ask_all(
    jobs: Sequence[Job], kind: type[Kind], endpoint: Endpoint, ledger: Ledger, limits: Limits, done: Callable[[], None]
) -> Outcome[Kind]:
    """Ask all jobs; `done` is called after each. The answers come in no order.

    An endpoint that is gone and a spent budget end the work early: see Outcome.stopped.
    Raises ConfigurationError when the cache fails.
    """
    if len({job.id for job in jobs}) != len(jobs):
        raise ConfigurationError("two sentences have the same id")
    async with ChatClient(endpoint) as client:
        asker = _Asker(client, kind, ledger, limits)
        left = iter(jobs)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(limits.at_once):
                    group.create_task(asker.work(left, done))
        except* ConfigurationError as errors:
            raise errors.exceptions[0] from None
        asker.outcome.counts["retries"] = client.retries
    return asker.outcome
