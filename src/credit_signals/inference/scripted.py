"""A reader without a model, for tests and dry runs: it finds what its script says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from credit_signals.domain import (
    FoundActivity,
    FoundSignal,
    Prediction,
    Section,
    SectionTask,
    Stance,
    Subject,
    content_id,
    now,
)
from credit_signals.errors import ReadFailed
from credit_signals.inference.base import Doubt


class ScriptedReader:
    """States a signal wherever a sentence holds a keyword (upper and lower case alike).

    Signals get the subject company, severity 2, confidence 0.9 and, unless the script says more, the stance occurred.
    A keyword of `fails_on` raises ReadFailed, as a model does that cannot read a section. Languages other than
    `languages` (empty: all) are not read. It can take either part of a cascade: it proposes what it would state with
    the confidence asked for, and judges by `verdicts`: keyword -> probability of yes, 0 without a keyword.
    """

    def __init__(
        self,
        signals: Mapping[str, str | FoundSignal],
        activities: Mapping[str, FoundActivity] | None = None,
        languages: Sequence[str] = (),
        fails_on: Sequence[str] = (),
        verdicts: Mapping[str, float] | None = None,
    ) -> None:
        self._signals = {keyword.lower(): signal for keyword, signal in signals.items()}
        self._activities = {keyword.lower(): activity for keyword, activity in (activities or {}).items()}
        self._languages = tuple(languages)
        self._fails_on = tuple(keyword.lower() for keyword in fails_on)
        self._verdicts = {keyword.lower(): share for keyword, share in (verdicts or {}).items()}
        script = [*map(repr, sorted(self._signals.items())), *map(repr, sorted(self._activities.items()))]
        script += map(repr, sorted(self._verdicts.items()))
        self._id = f"scripted-{content_id(*script, *self._languages)}"
        self.read_sections = 0
        self.tokens = 0  # words, for there is no tokenizer
        self.judged: list[Doubt] = []
        self.closed = False

    def known_as(self, reader_id: str) -> ScriptedReader:
        """The same reader, standing in for the one of that id."""
        self._id = reader_id
        return self

    @property
    def id(self) -> str:
        """Equal scripts have equal ids."""
        return self._id

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order. Raises ReadFailed naming the section."""
        return [self._read_one(section) for section in sections]

    def propose(self, sections: Sequence[Section], least: Mapping[str, float]) -> list[Prediction]:
        """What `read` gives, without signals below the least confidence (or, of other codes, below a margin of 0)."""
        return [
            prediction.model_copy(update={"signals": tuple(s for s in prediction.signals if _likely(s, least))})
            for prediction in self.read(sections)
        ]

    def judge(self, doubts: Sequence[Doubt]) -> list[float | None]:
        """By the verdict of the first keyword in the text; None in a language that is not read."""
        self.judged += doubts
        return [self._verdict(doubt) for doubt in doubts]

    def _verdict(self, doubt: Doubt) -> float | None:
        if self._languages and doubt.language and doubt.language not in self._languages:
            return None
        text = doubt.text.lower()
        return next((share for keyword, share in self._verdicts.items() if keyword in text), 0.0)

    def _read_one(self, section: Section) -> Prediction:
        text = section.text.lower()
        if any(keyword in text for keyword in self._fails_on):
            raise ReadFailed(f"section {section.id}: the script says so")
        self.read_sections += 1
        self.tokens += len(text.split())
        known = not self._languages or not section.language or section.language in self._languages
        return Prediction(
            task_id=SectionTask.build(section, self._id).id,
            content_hash=section.content_hash,
            reader_id=self._id,
            signals=tuple(self._find(section)) if known else (),
            activities=tuple(a for keyword, a in self._activities.items() if keyword in text) if known else (),
            unread_reason="" if known else f"language:{section.language}",
            read_at=now(),
        )

    def _find(self, section: Section) -> list[FoundSignal]:
        found = []
        for sentence in section.sentences:
            text = section.quote(sentence.start, sentence.end).lower()
            for keyword, signal in self._signals.items():
                if keyword in text:
                    found.append(_signal(signal, sentence.number))
        return found

    def close(self) -> None:
        """There is nothing to free; `closed` remembers the call."""
        self.closed = True


def _likely(signal: FoundSignal, least: Mapping[str, float]) -> bool:
    return signal.confidence >= least[signal.code] if signal.code in least else signal.margin >= 0


def _signal(scripted: str | FoundSignal, sentence: int) -> FoundSignal:
    if isinstance(scripted, FoundSignal):
        return scripted.model_copy(update={"sentence": sentence})
    return FoundSignal(
        code=scripted,
        sentence=sentence,
        stance=Stance.OCCURRED,
        subject=Subject.COMPANY,
        severity=2,
        confidence=0.9,
        margin=0.4,
    )
