"""Text as it is stored: what a reader of the page sees, without invisible characters."""

from __future__ import annotations

import re
import unicodedata

# Zero-width characters, soft hyphens and direction marks: invisible, and they split words for every later stage.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_BREAKS = re.compile(r" ?\n[ \n]*")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_NOT_WORD = re.compile(r"[\W_]+")


def clean_markup(html: str) -> str:
    """HTML without the characters that no parser may see (controls, lone surrogates)."""
    return _CONTROL.sub(" ", html)


def clean_text(text: str) -> str:
    """NFC, invisible characters removed, runs of white space made one space; line breaks stay, one at a time."""
    text = unicodedata.normalize("NFC", _CONTROL.sub(" ", _INVISIBLE.sub("", text)))
    return _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def has_words(text: str) -> bool:
    """Whether the text holds a letter or a digit."""
    return _LETTER_OR_DIGIT.search(text) is not None


def comparison_key(text: str) -> str:
    """The text's letters and digits in one case: equal for blocks that differ only in spacing and punctuation."""
    return _NOT_WORD.sub(" ", text.casefold()).strip()
