"""The figures of a signal reader."""

import numpy as np

from credit_signals.tuning.metrics import Outputs, attribute_metrics, calibration_error, code_metrics, gold_codes
from credit_signals.tuning.teacher import CODES, SEVERITIES, STANCES, SUBJECTS, Label, LabelledSentence


def _sentence(*codes: str, stance: str = "occurred") -> LabelledSentence:
    labels = tuple(Label(code, stance, "company", 2) for code in codes)
    return LabelledSentence("1", "g", "en", "", "text", labels)


def test_precision_recall_and_false_flags_are_counted() -> None:
    """One hit, one miss and one false flag give the figures that hand counting gives."""
    gold = gold_codes([_sentence("layoffs"), _sentence("recall"), _sentence()])
    found = gold_codes([_sentence("layoffs"), _sentence(), _sentence("hiring")])
    figures = code_metrics(gold, found)
    assert (figures["precision"], figures["recall"], figures["micro_f1"]) == (0.5, 0.5, 0.5)
    assert figures["false_flag_rate"] == 1.0
    assert figures["per_code"]["layoffs"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "gold": 1}


def test_rare_codes_are_left_out_of_the_macro_average() -> None:
    """Only codes with ten or more gold sentences make the macro F1."""
    gold = gold_codes([_sentence("layoffs")] * 10 + [_sentence("recall")])
    figures = code_metrics(gold, gold_codes([_sentence("layoffs")] * 10 + [_sentence()]))
    assert (figures["macro_codes"], figures["macro_f1"]) == (1, 1.0)


def test_no_sentences_give_zeros() -> None:
    """Figures of nothing are zeros, not errors."""
    nothing = np.zeros((0, len(CODES)), dtype=bool)
    assert code_metrics(nothing, nothing)["micro_f1"] == 0.0
    assert calibration_error(np.zeros((0, 1)), np.zeros((0, 1), dtype=bool)) == 0.0


def test_attributes_are_those_of_the_code() -> None:
    """Each code has its own stance, subject and severity: what is told of other codes does not count."""
    sentences = [_sentence("hiring", stance="ongoing"), _sentence("layoffs")]
    stance, subject, severity = (np.zeros((2, len(CODES), len(names))) for names in (STANCES, SUBJECTS, SEVERITIES))
    stance[:, :, STANCES.index("denied")] = 1.0  # of every code but the gold ones
    for row, (code, told) in enumerate((("hiring", "ongoing"), ("layoffs", "occurred"))):
        place = (row, CODES.index(code))
        stance[*place, STANCES.index(told)] = 2.0
        subject[*place, SUBJECTS.index("company")] = 1.0
        severity[*place, SEVERITIES.index((2, 3)[row])] = 1.0
    outputs = Outputs(np.zeros((2, len(CODES))), stance, subject, severity)
    assert attribute_metrics(sentences, outputs) == {
        "stance_accuracy": 1.0,
        "subject_accuracy": 1.0,
        "severity_accuracy": 0.5,
    }
