"""Calibrated probabilities and thresholds."""

import numpy as np
import pytest

from credit_signals.tuning.calibrate import calibrate
from credit_signals.tuning.metrics import calibration_error, code_metrics, sigmoid
from credit_signals.tuning.teacher import CODES

CODE_COUNT = len(CODES)


def _world(seed: int, rows: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """True log-odds and outcomes drawn from them."""
    dice = np.random.default_rng(seed)
    truth = dice.normal(-3, 2, (rows, CODE_COUNT))
    return truth, dice.random((rows, CODE_COUNT)) < sigmoid(truth)


def test_overconfident_logits_become_probabilities() -> None:
    """Logits that are three times too large and shifted are brought back to what happens."""
    truth, gold = _world(1)
    logits = 3 * truth + 2
    found = calibrate(logits, gold)
    assert found.scale[0] == pytest.approx(1 / 3, abs=0.02)
    assert calibration_error(sigmoid(logits), gold) > 0.1
    assert calibration_error(found.probabilities(logits), gold) < 0.01


def test_a_code_without_examples_keeps_the_common_threshold() -> None:
    """Codes that validation never saw get sane thresholds and finite probabilities."""
    truth, gold = _world(2, 500)
    gold[:, 3] = False
    found = calibrate(truth, gold)
    assert np.isfinite(found.probabilities(truth)).all()
    assert 0.1 <= found.threshold[3] <= 0.9


def test_separable_codes_are_found_exactly() -> None:
    """Where logits tell the codes apart, thresholds do so too."""
    gold = np.zeros((300, CODE_COUNT), dtype=bool)
    gold[np.arange(300), np.arange(300) % CODE_COUNT] = True
    logits = np.where(gold, 4.0, -4.0)
    figures = code_metrics(gold, calibrate(logits, gold).found(logits))
    assert figures["micro_f1"] == 1.0
    assert figures["macro_f1"] == 1.0
    assert figures["false_flag_rate"] == 0.0


def test_no_examples_at_all_is_survived() -> None:
    """A validation split without a single signal does not break calibration."""
    logits = np.full((20, CODE_COUNT), -2.0)
    assert np.isfinite(calibrate(logits, np.zeros_like(logits, dtype=bool)).threshold).all()
