"""From logits to probabilities that mean what they say, and to the threshold of each code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from credit_signals.tuning.metrics import Bools, Floats, f1, sigmoid

PULL = 4.0  # ridge on each code's own shift: rare codes stay at the common one
SHRINK = 20.0  # gold sentences at which a code's own threshold weighs as much as the common one
GRID = np.arange(0.10, 0.91, 0.02)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability of a code = sigmoid(scale * logit + shift); it is found at `threshold` or more. All are [C]."""

    scale: Floats
    shift: Floats
    threshold: Floats

    def probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities of logits [n, C]."""
        return sigmoid(self.scale * logits + self.shift)

    def found(self, logits: Floats) -> Bools:
        """Which codes are found, [n, C]."""
        return np.asarray(self.probabilities(logits) >= self.threshold)


def calibrate(logits: Floats, gold: Bools) -> Calibration:
    """Platt scaling with one slope, a shift per code drawn towards the common shift, and shrunken F1 thresholds."""
    slope, shift = _platt(np.asarray(logits, dtype=np.float64), gold)
    scale = np.full(logits.shape[1], slope)
    probabilities = sigmoid(scale * logits + shift)
    return Calibration(scale, shift, _thresholds(probabilities, gold))


def _platt(logits: Floats, gold: Bools, rounds: int = 60) -> tuple[float, Floats]:
    """Newton's method on slope, common shift and per-code deviations under a ridge penalty."""
    codes = logits.shape[1]
    parameters = np.concatenate([[1.0, 0.0], np.zeros(codes)])
    ridge = np.concatenate([[1e-3, 1e-3], np.full(codes, PULL)])
    for _ in range(rounds):
        shift = parameters[1] + parameters[2:]
        told = sigmoid(parameters[0] * logits + shift)
        error, curve = told - gold, np.maximum(told * (1 - told), 1e-9)
        gradient = np.concatenate([[(error * logits).sum(), error.sum()], error.sum(0)]) + ridge * parameters
        hessian = np.diag(ridge)
        cross = (curve * logits).sum(0)
        hessian[0, 0] += (curve * logits**2).sum()
        hessian[0, 1] += cross.sum()
        hessian[1, 1] += curve.sum()
        hessian[0, 2:] += cross
        hessian[1, 2:] += curve.sum(0)
        hessian[range(2, codes + 2), range(2, codes + 2)] += curve.sum(0)
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        step = np.linalg.solve(hessian, gradient)
        step *= min(
            1.0, 2.0 / max(1e-12, float(np.abs(step).max()))
        )  # Newton's step can overshoot far from the optimum
        parameters = parameters - step
        if np.abs(step).max() < 1e-6:  # noqa: PLR2004  # converged
            break
    return float(parameters[0]), parameters[1] + parameters[2:]


def _thresholds(probabilities: Floats, gold: Bools) -> Floats:
    scores = np.array([_f1_per_code(probabilities >= t, gold) for t in GRID])
    micro = np.array([f1((gold & (f := probabilities >= t)).sum(), f.sum(), gold.sum()) for t in GRID])
    common = GRID[int(_smooth(micro).argmax())]
    own = np.array([GRID[int(_smooth(scores[:, code]).argmax())] for code in range(gold.shape[1])])
    count = gold.sum(0)
    return np.asarray((count * own + SHRINK * common) / (count + SHRINK))


def _f1_per_code(found: Bools, gold: Bools) -> list[float]:
    return [f1(*counts) for counts in zip((gold & found).sum(0), found.sum(0), gold.sum(0), strict=True)]


def _smooth(curve: Floats) -> Floats:
    """A running mean over five thresholds: a peak of one grid point is chance."""
    padded = np.pad(curve, 2, mode="edge")
    return np.convolve(padded, np.full(5, 0.2), mode="valid")
