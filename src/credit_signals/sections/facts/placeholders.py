"""Telling a filled-in imprint from a template."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(
    r"\bmuster-?(?:mann|frau|firma|stadt|stra(?:ß|ss)e|str\.|weg|ort|hausen|platz|allee|ustid|gmbh|unternehmen)\b"
    r"|\b(?:max|erika|maria|hans)\s+muster(?:mann|frau)?\b|@(?:muster|beispiel|example|domain|yourdomain|company|email)\."
    r"|\bbeispiel(?:straße|strasse|stadt|firma|weg|gmbh)\b|\b(?:john|jane)\s+doe\b|\blorem\s+ipsum\b"
    r"|[\[<{][^\]>}\n]{0,30}(?:name|firma|company|stra(?:ß|ss)e|street|stadt|city|ort\b|plz|adress|address|telefon|phone"
    r"|e-?mail|nummer|number|vat|ust)[^\]>}\n]{0,30}[\]>}]|\bx{3,}\b|_{3,}|\.{5,}"
    r"|\b(?:your|ihr|votre)[ -](?:company|firma|name|nom|unternehmen|société)\b"
    r"|\b(?:DE|GB|ATU?|FR)[ ]?1234567\d*\b|\bHR[AB][ ]?(?:12345\d?|0{3,})\b|\b12345\s+[A-Z]\w*stadt\b"
    r"|(?<!\d)\(?123\)?[-. ]\d{3}[-. ]\d{4}\b|\bmario rossi\b|\bjean dupont\b|\bnombre apellido\b",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """Whether a value is an example that nobody filled in, such as "Max Mustermann", "[Name]" or "DE123456789"."""
    return _PLACEHOLDER.search(value) is not None


def is_template(text: str) -> bool:
    """Whether a whole text is an unfilled template: two different placeholders stand in it."""
    found = {match.group().casefold() for match in _PLACEHOLDER.finditer(text)}
    return len(found) >= 2  # noqa: PLR2004 - one alone may be a firm that is called so
