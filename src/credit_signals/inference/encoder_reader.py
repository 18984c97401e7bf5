"""The small fast reader: a sentence encoder, linear heads for signals, an index of descriptions for activities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from credit_signals.domain import (
    FoundActivity,
    FoundSignal,
    Prediction,
    Section,
    SectionTask,
    Stance,
    Subject,
    now,
)
from credit_signals.errors import ModelRefused, ReadFailed
from credit_signals.inference.activity import ActivityFinder
from credit_signals.inference.activity_sections import find_activities
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import ActivityIndex, Floats, SignalHeads
from credit_signals.inference.manifest import Manifest, identify
from credit_signals.inference.model_file import check_file, check_model
from credit_signals.inference.sentences import InContext, in_context

_Stated: TypeAlias = dict[InContext, list[FoundSignal]]  # their sentence numbers are given where a section has them


class EncoderReader:
    """Reads sections with an encoder. See base.Proposer."""

    def __init__(self, manifest: Manifest) -> None:
        """Checks and loads every file of the manifest. Raises ModelRefused."""
        if manifest.heads is None:
            raise ModelRefused(f"{manifest.model.file}: an encoder needs heads")
        check_model(manifest.model.file, manifest.model.sha256)
        for part in (manifest.adapter, manifest.heads, manifest.activity):
            if part:
                check_file(part.file, part.sha256)
        self._manifest = manifest
        self._id = identify(manifest)
        self._heads = SignalHeads.load(manifest.heads.file)
        self._activity = ActivityFinder(ActivityIndex.load(manifest.activity.file)) if manifest.activity else None
        adapter = manifest.adapter.file if manifest.adapter else None
        self._encoder = Encoder(manifest.model.file, adapter, manifest.threads)
        widths = {self._heads.width, self._activity.index.width if self._activity else self._heads.width}
        if widths != {self._encoder.width}:
            self.close()
            raise ModelRefused(f"{manifest.heads.file}: made for another width than the model's {self._encoder.width}")

    @property
    def id(self) -> str:
        """Question version and hash of all files."""
        return self._id

    @property
    def tokens(self) -> int:
        """Tokens computed so far."""
        return self._encoder.tokens

    def read(self, sections: Sequence[Section]) -> list[Prediction]:
        """One prediction per section, same order; what its thresholds just miss is unsure, where the manifest says so.

        Raises ReadFailed naming the sections.
        """
        heads = self._heads
        likely = self._find(sections, heads.threshold - np.float32(self._manifest.unsure_band))
        return [_set_unsure_apart(prediction) for prediction in likely] if self._manifest.unsure_band else likely

    def propose(self, sections: Sequence[Section], least: Mapping[str, float]) -> list[Prediction]:
        """As `read`, with signals from other probabilities on. See base.Proposer. Raises ReadFailed."""
        own = zip(self._heads.code_names, self._heads.threshold, strict=True)
        return self._find(sections, np.array([least.get(code, threshold) for code, threshold in own], np.float64))

    def _find(self, sections: Sequence[Section], least: NDArray[np.floating]) -> list[Prediction]:
        known = [section for section in sections if self._manifest.knows(section.language)]
        try:
            sentences = [in_context(section) for section in known]
            stated = self._stated((job for jobs in sentences for job in jobs.values()), least)
            activities = find_activities(self._activity, self._encoder, known) if self._activity else {}
        except ReadFailed as exc:
            raise ReadFailed(f"sections {', '.join(section.id for section in sections)}: {exc}") from exc
        found = {
            section.id: (_signals(sentences[row], stated), activities.get(row, ())) for row, section in enumerate(known)
        }
        return [self._predict(section, found.get(section.id)) for section in sections]

    def _stated(self, sentences: Iterable[InContext], least: NDArray[np.floating]) -> _Stated:
        """What each sentence states with these probabilities [C] at least; equal sentences are computed once."""
        distinct = list(dict.fromkeys(sentences))
        stated: _Stated = {}
        for row, tokens in self._encoder.token_rows(distinct):
            seen = self._heads.look(tokens)
            likely = self._heads.likely(seen)
            stated[distinct[row]] = [self._signal(int(code), likely, seen) for code in np.flatnonzero(likely >= least)]
        return stated

    def _signal(self, code: int, likely: Floats, seen: Floats) -> FoundSignal:
        heads = self._heads
        probability = float(likely[code])
        stance = heads.stance_w @ seen[code] + heads.stance_b + heads.stance_code_w[code]
        subject = heads.subject_w @ seen[code] + heads.subject_b
        severity = heads.severity_w @ seen[code] + heads.severity_b
        return FoundSignal(
            code=heads.code_names[code],
            sentence=1,
            stance=Stance(heads.stance_names[int(stance.argmax())]),
            subject=Subject(heads.subject_names[int(subject.argmax())]),
            severity=int(severity.argmax()) + 1,
            confidence=probability,
            margin=probability - float(heads.threshold[code]),
        )

    def _predict(
        self, section: Section, found: tuple[tuple[FoundSignal, ...], tuple[FoundActivity, ...]] | None
    ) -> Prediction:
        signals, activities = found or ((), ())
        return Prediction(
            task_id=SectionTask.build(section, self._id).id,
            content_hash=section.content_hash,
            reader_id=self._id,
            signals=signals,
            activities=activities,
            unread_reason="" if found is not None else f"language:{section.language}",
            read_at=now(),
        )

    def close(self) -> None:
        """Free the model."""
        self._encoder.close()


def _set_unsure_apart(prediction: Prediction) -> Prediction:
    sure = tuple(signal for signal in prediction.signals if signal.margin >= 0)
    unsure = tuple(signal for signal in prediction.signals if signal.margin < 0)
    return prediction.model_copy(update={"signals": sure, "unsure": unsure})


def _signals(sentences: dict[int, InContext], stated: _Stated) -> tuple[FoundSignal, ...]:
    """All that the sentences of a section state, by sentence, then code."""
    return tuple(
        signal.model_copy(update={"sentence": number}) for number, job in sentences.items() for signal in stated[job]
    )
