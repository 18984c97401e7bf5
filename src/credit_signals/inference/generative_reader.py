"""A reader on any causal language model in GGUF: questions in three steps, each answered by one token.

First the groups of events, then the events of the groups that are there, then sentence, stance, subject and severity
of each event. Sentences are numbered in the prompt, so that evidence is a number and quotes are verbatim.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from credit_signals.domain import FoundSignal, Prediction, Section, SectionTask, Stance, Subject, now
from credit_signals.errors import ModelRefused, ReadFailed
from credit_signals.inference.asking import AT_ONCE, Answer, Asker, Question
from credit_signals.inference.base import Doubt
from credit_signals.inference.llama import Model
from credit_signals.inference.manifest import Manifest, identify
from credit_signals.inference.model_file import check_file, check_model
from credit_signals.inference.prompting import Chunk, Prompter
from credit_signals.inference.questions import TEMPLATE_KEY, Event, load_questions

DETAILS = 4  # questions per event: sentence, stance, subject, severity
Interview = Generator[list[Question], list[Answer], list[FoundSignal]]


class GenerativeReader:
    """Reads sections with a causal language model. See base.Judge."""

    def __init__(self, manifest: Manifest) -> None:
        """Checks and loads the files of the manifest. Raises ModelRefused."""
        if manifest.questions is None:
            raise ModelRefused(f"{manifest.model.file}: a generative reader needs questions")
        check_model(manifest.model.file, manifest.model.sha256)
        if manifest.adapter:
            check_file(manifest.adapter.file, manifest.adapter.sha256)
        self._manifest = manifest
        self._id = identify(manifest)
        self._questions = load_questions(manifest.questions.folder)
        self._model = Model(manifest.model.file)
        try:
            self._prompter = Prompter(self._model, self._questions)
            adapter = self._model.load_adapter(manifest.adapter.file) if manifest.adapter else None
            self._require_template(adapter)
            instruction = self._prompter.instruction()
            self._asker = Asker(self._model, instruction, manifest.context_tokens, manifest.threads, adapter)
            self._require_fitting_questions()
        except ModelRefused:
            self._model.close()
            raise

    def _require_template(self, adapter: Any | None) -> None:
        """A model that was tuned on one prompt template reads badly with another."""
        own = self._questions.template.sha256
        tuned = self._model.metadata(TEMPLATE_KEY, adapter) or self._model.metadata(TEMPLATE_KEY)
        if tuned and tuned != own:
            file = self._manifest.adapter.file if self._manifest.adapter else self._model.path
            raise ModelRefused(f"{file}: tuned on the template {tuned[:12]}, the questions have {own[:12]}")

    def _require_fitting_questions(self) -> None:
        """Refuse what would else fail on every section."""
        groups = self._questions.groups
        events = [event for group in groups for event in group.event]
        for prompt in [*(group.prompt for group in groups), *(event.prompt for event in events)]:
            self._require_fit(prompt, [self._prompter.judge(prompt)])
        for event in events:
            self._require_fit(event.event, self._prompter.details(event.event, 1))

    def _require_fit(self, prompt: str, questions: Sequence[Question]) -> None:
        if not all(self._asker.fits(question) for question in questions):
            self._asker.close()
            raise ModelRefused(f"{self._model.path}: too long a question for the context: {prompt!r}")

    @property
    def id(self) -> str:
        """Question version and hash of model and questions."""
        return self._id

    @property
    def tokens(self) -> int:
        """Tokens computed so far."""
        return self._asker.tokens

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order. Raises ReadFailed naming the sections."""
        known = [section for section in sections if self._manifest.knows(section.language)]
        found: dict[str, list[FoundSignal]] = {section.id: [] for section in known}
        try:
            distinct = {section.id: section for section in known}.values()
            limit = self._asker.text_tokens
            chunks = [chunk for section in distinct for chunk in self._prompter.split(section, limit)]
            for start in range(0, len(chunks), AT_ONCE):
                batch = chunks[start : start + AT_ONCE]
                for chunk, signals in zip(batch, self._read_batch(batch), strict=True):
                    found[chunk.section.id] += signals
        except ReadFailed as exc:
            raise ReadFailed(f"sections {', '.join(section.id for section in sections)}: {exc}") from exc
        return [self._predict(section, found.get(section.id)) for section in sections]

    def judge(self, doubts: Sequence[Doubt]) -> list[float | None]:
        """The probability of yes to each doubt. See base.Judge. Raises ReadFailed."""
        prompts = {event.code: event.prompt for group in self._questions.groups for event in group.event}
        asked: dict[tuple[str, str], dict[str, Question]] = {}
        for doubt in doubts:
            if doubt.code in prompts and self._manifest.knows(doubt.language):
                questions = asked.setdefault((doubt.context, doubt.text), {})
                questions[doubt.code] = self._prompter.judge(prompts[doubt.code])
        sentences = list(asked)
        shares: dict[tuple[str, str, str], float] = {}
        for start in range(0, len(sentences), AT_ONCE):
            batch = sentences[start : start + AT_ONCE]
            self._asker.begin([self._prompter.alone(*sentence, self._asker.text_tokens) for sentence in batch])
            answers = self._asker.ask([list(asked[sentence].values()) for sentence in batch])
            for sentence, some in zip(batch, answers, strict=True):
                codes = zip(asked[sentence], some, strict=True)
                shares |= {(*sentence, code): self._prompter.yes_share(answer) for code, answer in codes}
        return [shares.get((doubt.context, doubt.text, doubt.code)) for doubt in doubts]

    def _predict(self, section: Section, signals: Sequence[FoundSignal] | None) -> Prediction:
        return Prediction(
            task_id=SectionTask.build(section, self._id).id,
            content_hash=section.content_hash,
            reader_id=self._id,
            signals=tuple(sorted(signals or (), key=lambda signal: (signal.sentence, signal.code))),
            unread_reason="" if signals is not None else f"language:{section.language}",
            read_at=now(),
        )

    def _read_batch(self, chunks: Sequence[Chunk]) -> list[list[FoundSignal]]:
        """Interview the chunks side by side, step by step."""
        self._asker.begin([chunk.tokens for chunk in chunks])
        interviews = [self._interview(chunk) for chunk in chunks]
        asked = [next(interview) for interview in interviews]
        signals: list[list[FoundSignal]] = [[] for _ in chunks]
        open_ones = set(range(len(chunks)))
        while open_ones:
            answers = self._asker.ask(asked)
            for number in sorted(open_ones):
                try:
                    asked[number] = interviews[number].send(answers[number])
                except StopIteration as end:
                    signals[number], asked[number] = end.value, []
                    open_ones.discard(number)
        return signals

    def _interview(self, chunk: Chunk) -> Interview:
        """Yields questions, is sent their answers, returns the signals."""
        prompter, groups = self._prompter, self._questions.groups
        answers = yield [prompter.judge(group.prompt) for group in groups]
        there = [group for group, answer in zip(groups, answers, strict=True) if prompter.is_yes(answer)]
        events = [event for group in there for event in group.event]
        if not events:
            return []
        answers = yield [prompter.judge(event.prompt) for event in events]
        stated = [(event, answer) for event, answer in zip(events, answers, strict=True) if prompter.is_yes(answer)]
        if not stated:
            return []
        details = yield [q for event, _ in stated for q in prompter.details(event.event, len(chunk.numbers))]
        return [
            self._signal(chunk, event, judgement, details[place * DETAILS : (place + 1) * DETAILS])
            for place, (event, judgement) in enumerate(stated)
        ]

    def _signal(self, chunk: Chunk, event: Event, judgement: Answer, details: Sequence[Answer]) -> FoundSignal:
        sentence, stance, subject, severity = details
        prompter = self._prompter
        return FoundSignal(
            code=event.code,
            sentence=chunk.numbers[sentence.best],
            stance=Stance(prompter.chosen("stance", stance)),
            subject=Subject(prompter.chosen("subject", subject)),
            severity=int(prompter.chosen("severity", severity)),
            confidence=max(judgement.shares),
            margin=judgement.margin,
        )

    def close(self) -> None:
        """Free the model."""
        self._asker.close()
        self._model.close()
