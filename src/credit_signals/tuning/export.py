"""The trained heads as the file that readers load, and the trained encoder as a folder to convert."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from credit_signals.inference.formats import Floats, SignalHeads
from credit_signals.tuning.calibrate import Calibration
from credit_signals.tuning.encoder import SignalModel
from credit_signals.tuning.teacher import CODES, STANCES, SUBJECTS

WORDS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def heads_of(model: SignalModel, calibration: Calibration) -> SignalHeads:
    """The model's heads with calibration and thresholds."""
    return SignalHeads(
        code_names=CODES,
        code_w=_array(model.code.weight),
        code_b=_array(model.code.bias),
        threshold=np.asarray(calibration.threshold, np.float32),
        stance_names=STANCES,
        stance_w=_array(model.stance.weight),
        stance_b=_array(model.stance.bias),
        subject_names=SUBJECTS,
        subject_w=_array(model.subject.weight),
        subject_b=_array(model.subject.bias),
        severity_w=_array(model.severity.weight),
        severity_b=_array(model.severity.bias),
        scale=np.asarray(calibration.scale, np.float32),
        shift=np.asarray(calibration.shift, np.float32),
        stance_code_w=_array(model.stance_code.weight),
        attention_w=_array(model.attention.weight),
    )


def write_encoder(model: SignalModel, base: Path, out: Path) -> None:
    """Write the encoder, trained in full, as a Hugging Face folder with the words of its base. Raises OSError."""
    model.base.save_pretrained(out)
    for name in WORDS:
        if (base / name).is_file():
            shutil.copy(base / name, out / name)


def _array(tensor: Any) -> Floats:
    values: Floats = tensor.detach().numpy().astype(np.float32)
    return values
