"""Postal addresses, telephone numbers and mail addresses in imprints and footers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from credit_signals.sections.dates.written import is_written_date
from credit_signals.sections.facts.names import names_legal_form
from credit_signals.sections.text import comparison_key

_TOWN = r"(?:St\.? )?[A-ZÀ-Þ][\wÀ-ÿ'’-]+(?:[ /](?:[a-z]{1,3}\.|[A-ZÀ-Þa-z(][\wÀ-ÿ'’()-]+)){0,3}"
_GAP = r"[ ]?[\n,|•·–-]{1,2}[ \n]?"
_CONTINENTAL = re.compile(
    rf"(?<![\w])([A-ZÀ-Þ][\wÀ-ÿ.'’/ -]{{2,45}}?,? ?\d{{1,4}} ?[a-zA-Z]?(?: ?[-–/+] ?\d{{1,4}}[a-z]?)?){_GAP}"
    rf"((?:[A-Z]{{1,2}}[- ])?\d{{4,5}} {_TOWN})"
)
_FRENCH = re.compile(
    r"(?<![\w])((?:\d{1,4}(?: ?(?:bis|ter|quater))?,? )?(?:rue|avenue|av\.|boulevard|bd|place|chemin|route|allée"
    rf"|impasse|quai|cours|square|passage|sentier|zone|parc|lieu-dit|hameau)\b"
    rf"[^\n,|•·:]{{2,60}}?)(?:{_GAP}|[ ])((?:F-)?\d{{5}} {_TOWN})",
    re.IGNORECASE,
)
_UK_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]?) ?\d[A-Z]{2}\b")
_AMERICAN = re.compile(
    r"(?<![\w])(\d{1,5} [A-Z][^\n|•·:]{3,60}?)[ ]?[\n,][ \n]?"
    r"([A-Z][a-z]+(?: [A-Z][a-z]+){0,2}, [A-Z]{2} \d{5}(?:-\d{4})?)\b"
)
_BEFORE_ADDRESS = re.compile(r"[:©•·|—–]|\s-\s|@[\w.-]+|\bat\b|\.\s|[^\w\s,.'’&/()-]|\d{6,}")
_LABEL = re.compile(
    r"^(?:\d{4} (?=[A-Z])|(?:(?:our |office |registered |postal )?(?:address|location)|(?:registered|head) office"
    r"|visit us|(?:contact )?&? ?find us|office|contact(?: us)?|services|company|where to find us)\b[:\s]*)+",
    re.IGNORECASE,
)
_ADDRESS_LINES = 5
_LINES_WITHOUT_NUMBER = 3  # an address without a house number: name, street, town
_LEAST_PARTS = 2  # of an address: a street or house, and a town
_UK_WINDOW = 130  # characters before the postcode

_PHONE = re.compile(
    r"(?<![\w./@-])(\+\d{1,3}[\d ()/.–-]{6,18}\d|\(?0\d{1,5}\)?[\d ()/.–-]{4,16}\d"
    r"|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4})(?![\w@])"
)
_NOT_A_PHONE = re.compile(
    r"(?:fax|\b(?:no|nr|number|nummer|vat|iva|hrb|hra|iban|bic|siret|siren|rcs|rea|company|reg|registration|fn|blz|id"
    r"|england|wales|scotland))"
    r"[\w.]{0,3}[ .:|]{0,4}(?:\+\d\d|0)?$",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}\s?[-–]\s?\d{4}$|\d{1,2}[.:]\d\d ?[-–] ?\d{1,2}[.:]\d\d")
_CALL = re.compile(
    r"\b(?:ring|call|phone|tel(?:ephone|efono?)?|anrufen?|rufen sie|tél(?:éphone)?|appelez|teléfono)\b"
    r"[^\d\n+(]{0,20}$",
    re.IGNORECASE,
)
_CALL_WINDOW = 40
_MAIL = re.compile(
    r"(?<![\w.@+-])([\w.+-]{1,64}) ?(?:@|[\[(](?:at|ät)[\])]) ?([\w-]+(?:(?:\.| ?[\[(](?:dot|punkt)[\])] ?)[\w-]+)*"
    r"(?:\.| ?[\[(](?:dot|punkt)[\])] ?)[A-Za-z]{2,18})\b"
)
_DOT = re.compile(r" ?[\[(](?:dot|punkt)[\])] ?")


def find_addresses(text: str) -> Iterator[str]:
    """Street and town with their post code, on one line."""
    for pattern in (_CONTINENTAL, _FRENCH, _AMERICAN):
        for match in pattern.finditer(text):
            street = re.split(r"[:|•·]|\s[-–]\s", match[1])[-1].strip(" ,")
            if not is_written_date(f"{street}, {match[2][:4]}"):
                yield f"{street}, {match[2].strip(' .,')}"
    for match in _UK_POSTCODE.finditer(text):
        written = _before_postcode(text[max(0, match.start() - _UK_WINDOW) : match.start()])
        if written:
            yield f"{written} {match.group()}"


def _before_postcode(before: str) -> str:
    """What of the text before a UK post code is the address: back to a mark that no address holds."""
    start = 0
    for mark in _BEFORE_ADDRESS.finditer(before):
        start = mark.end()
    stripped = (_LABEL.sub("", line.strip(" ,")) for line in before[start:].split("\n"))
    lines = [line for line in stripped if line][-_ADDRESS_LINES:]
    numbered = [position for position, line in enumerate(lines) if re.search(r"\d", line)]
    written = without_names(", ".join(lines[numbered[-1] if numbered else -_LINES_WITHOUT_NUMBER :]))
    return written if "," in written else ""


def without_names(address: str, names: AbstractSet[str] = frozenset()) -> str:
    """An address without the company that it opens with: a legal form, or one of `names` (comparison keys).

    What stands before a legal form is no part of the address either.
    """
    parts = address.split(", ")
    own = [place for place, part in enumerate(parts[:-1]) if names_legal_form(part) or _opens_with(part, names)]
    return ", ".join(parts[own[-1] + 1 :]) if own and len(parts) - own[-1] > _LEAST_PARTS else address


def _opens_with(part: str, names: AbstractSet[str]) -> bool:
    """Whether a part is a name, or a longer form of one: "Cobalt Theatre Trust" for "Cobalt Theatre"."""
    words = comparison_key(part).split()
    return any(" ".join(words[:length]) in names for length in range(max(2, len(words) - 2), len(words) + 1))


def find_phones(text: str) -> Iterator[str]:
    """Telephone numbers as written; fax numbers, register numbers, dates and hours are left out."""
    for match in _PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[1])
        before = text[max(0, match.start() - 30) : match.start()]
        if 7 <= len(digits) <= 15 and not _NOT_A_PHONE.search(before) and not _DATE.search(match[1]):  # noqa: PLR2004 - E.164
            yield match[1].strip()


def find_called_phones(text: str) -> Iterator[str]:
    """Telephone numbers of prose that the reader is asked to ring."""
    return (phone for phone in find_phones(text) if _CALL.search(text[: text.index(phone)][-_CALL_WINDOW:]))


def find_mails(text: str) -> Iterator[str]:
    """Mail addresses, also those written with (at) and (dot)."""
    for match in _MAIL.finditer(text):
        yield f"{match[1]}@{_DOT.sub('.', match[2])}".lower()
