"""Candidates that tests of sampling share."""

from __future__ import annotations

from credit_signals.tuning.dataset.candidates import NOTHING, Candidate, Stratum
from credit_signals.tuning.dataset.rows import SentenceRow

WORDS = "amber birch cedar delta ember fjord grain hazel ivory jetty kiosk lunar mango north ocean pearl quilt river"


def text_of(number: int) -> str:
    """A text that is near to none of another number."""
    words = WORDS.split()
    picked = [words[(number // len(words) ** place + place * 5) % len(words)] for place in range(4)]
    return f"{' '.join(picked)} {hex(number * 7919)[2:]} {''.join(words[number % 17][::-1])} {words[number % 13]}ful"


def candidate(number: int, code: str = NOTHING, band: str = "", text: str = "", group: str = "") -> Candidate:
    """A sentence of a document of its own, unless one is named."""
    row = SentenceRow(id=f"s{number}", src=group or f"doc/{number}", text=text or text_of(number))
    return Candidate(row, (Stratum(code, band, "about", "en"),))
