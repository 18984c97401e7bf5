"""The written form of a grounded answer: what is said, the quote that shows it, the page where it stands.

    Yes
    Quote: "We will close our Leeds depot in March."
    Page: https://example.com/news

An answer about a page has no quote, and what the pages do not tell is answered by NOT_STATED alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NOT_STATED = "not stated"
_QUOTE, _PAGE = 'Quote: "', "Page: "
_FORM = re.compile(r'\A(?P<said>.*?)(?:\nQuote: "(?P<quote>.*)")?(?:\nPage: (?P<page>\S+))?\s*\Z', re.DOTALL)


@dataclass(frozen=True, slots=True)
class GroundedAnswer:
    """An answer; quote and page may be empty."""

    said: str
    quote: str = ""
    page: str = ""

    def __str__(self) -> str:
        quoted = f'\n{_QUOTE}{self.quote}"' if self.quote else ""
        return self.said + quoted + (f"\n{_PAGE}{self.page}" if self.page else "")


def parse_answer(text: str) -> GroundedAnswer:
    """The parts of a written answer; text of any other form is said as a whole."""
    found = _FORM.match(text.strip())
    if found is None:
        return GroundedAnswer(text.strip())
    return GroundedAnswer(found["said"].strip(), found["quote"] or "", found["page"] or "")
