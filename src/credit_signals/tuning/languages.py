"""The language of a labelled sentence."""

from __future__ import annotations

import py3langid

from credit_signals.tuning.teacher import LabelledSentence


def language_of(sentence: LabelledSentence) -> str:
    """The sentence's language as stated, else as identified (ISO 639-1)."""
    if sentence.language:
        return sentence.language
    language: str = py3langid.classify(sentence.text)[0]
    return language
