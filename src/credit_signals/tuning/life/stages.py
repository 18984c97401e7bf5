"""The steps of a life, in order."""

from __future__ import annotations

from credit_signals.tuning.life.course import Step
from credit_signals.tuning.life.deciding import EVALUATE, PROMOTE
from credit_signals.tuning.life.gathering import DATASET, GRADE, LABEL, SAMPLE
from credit_signals.tuning.life.shaping import EXPORT, TRAIN

STEPS: dict[str, Step] = {step.name: step for step in (SAMPLE, LABEL, GRADE, DATASET, TRAIN, EXPORT, EVALUATE, PROMOTE)}
