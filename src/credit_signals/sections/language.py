"""The language of a text, among those of European company sites."""

from __future__ import annotations

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Those of European company sites that the model knows.
LANGUAGES = frozenset(
    {"bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "is", "it", "lb", "lt"}
    | {"lv", "mk", "mt", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tr", "uk"}
)
_SAME = {"nb": "no", "nn": "no"}
_LETTERS = re.compile(r"[^\W\d_]+")
_TOO_SHORT = 12  # letters: below, any model guesses
_SHORT = 160  # letters: below, the page's own word weighs more
_FEW_WORDS = 3
_LIKELY = 0.5
_SURE = 0.95
_LIMIT = 2_000  # characters looked at


def detect_language(text: str, hint: str = "") -> str:
    """The ISO 639-1 code of a text's language, or empty when it cannot be told.

    `hint` is what the page declares (`de`, `de-DE`). It decides where the text is too short to tell, and wins over
    the model on short texts unless the model is sure.
    """
    declared = _declared(hint)
    words = _LETTERS.findall(text[:_LIMIT])
    letters = sum(map(len, words))
    if letters < _TOO_SHORT or len(words) < _FEW_WORDS:
        return declared
    ranked = _identifier().rank(" ".join(words))
    best, probability = ranked[0]
    best = _SAME.get(best, best)
    if best == declared or not declared:
        return best if probability >= _LIKELY or best == declared else ""
    if letters >= _SHORT:
        return best if probability >= _LIKELY else declared
    return best if probability >= _SURE else declared


def _declared(hint: str) -> str:
    code = re.split(r"[-_,; ]", hint.strip().lower(), maxsplit=1)[0]
    code = _SAME.get(code, code)
    return code if code in LANGUAGES else ""


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
