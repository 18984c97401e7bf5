"""Register numbers and VAT ids, checked by their check digits where they have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stdnum.ch import uid as ch_uid
from stdnum.es import cif as es_cif
from stdnum.es import nif as es_nif
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as fr_siren
from stdnum.gb import vat as gb_vat
from stdnum.it import iva as it_iva

_WITH_PREFIX = re.compile(
    r"\b(?:AT[ .-]?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)"
    r"[ .:-]{0,2}(?:[0-9A-Z][ .-]?){7,12}(?![0-9A-Z])"
)
_UK = re.compile(r"\bVAT\b[^\d\n]{0,40}?(?:GB[ -]?)?(\d{3}[ .-]?\d{4}[ .-]?\d{2})\b", re.IGNORECASE)
_ITALY = re.compile(r"\b(?:P(?:artita)?[. ]{0,2}IVA|C\.?F\.?)\b[^\d\n]{0,30}?(?:IT[ -]?)?(\d{11})\b", re.IGNORECASE)
_SPAIN = re.compile(r"\b(?:C\.?I\.?F\.?|N\.?I\.?F\.?)\b[^\dA-Z\n]{0,8}([A-Z][- .]?\d{7}[0-9A-J]|\d{8}[A-Z])\b")
_SWISS = re.compile(r"\bCHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3}\b")
_SWISS_VAT = re.compile(r"\bCHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3}[ ]?(?:MWST|TVA|IVA)\b")

_GERMAN_REGISTER = re.compile(
    r"\b(HR ?[AB]|GnR|VR|PR)\b[\s.:-]{0,3}(?:(?:Nr|Nummer|No)\b[\s.:]{0,3})?(\d{1,6}(?: ?[A-Z]{1,2}\b)?)"
)
_AUSTRIAN_REGISTER = re.compile(r"\bFN[ .:-]{0,2}(\d{4,6} ?[a-z])\b")
_UK_REGISTER = re.compile(
    r"\b(?:compan(?:y|ies)|regist(?:ered|ration))\b[^\d\n|•·]{0,60}?"
    r"(?:\b(?:no|nos|number|num|reg|registration)\b|#|№)[^\dA-Z\n]{0,12}((?:SC|NI|OC|SO|NC)?[ ]?\d{6,8})\b",
    re.IGNORECASE,
)
_ENGLISH_REGISTER = re.compile(
    r"\bregistered in (?:England(?: (?:and|&) Wales)?|Scotland|Wales|Northern Ireland|(?:the Republic of )?Ireland)"
    r"[\s:,.(-]{1,4}((?:SC|NI|OC|SO|NC)?\d{5,8})\b",
    re.IGNORECASE,
)
_SHORT_REGISTER = re.compile(r"(?<!VAT )(?<!Charity )\bReg(?:d|istered)?\.? ?No\.?[ :]{0,2}(\d{8})\b", re.IGNORECASE)
_FRENCH_REGISTER = re.compile(
    r"\b(?:SIREN|SIRET|R\.?C\.?S\.?)(?![\w])[^\d\n]{0,40}?(\d{3}[ .]?\d{3}[ .]?\d{3})(?:[ .]?(\d{5}))?\b"
)
_ITALIAN_REGISTER = re.compile(r"\b(?:R\.?E\.?A\.?)(?![\w])[\s:.n°-]{0,8}([A-Z]{2}[ -]{0,3}\d{5,7})\b")


def find_vat_ids(text: str) -> Iterator[str]:
    """VAT ids with their country prefix, in order; those with a wrong check digit are left out."""
    for match in _WITH_PREFIX.finditer(text):
        yield from _first_valid(match.group())
    for pattern, compact, prefix in _NATIONAL:
        for match in pattern.finditer(text):
            number = _checked(compact, match[1])
            if number:
                yield f"{prefix}{number}"
    for match in _SWISS_VAT.finditer(text):
        if _checked(ch_uid.validate, match.group()[:-4].strip()):
            yield re.sub(r"\s+", " ", match.group())


def find_register_numbers(text: str) -> Iterator[str]:
    """Numbers in company registers: HRB and HRA, FN, CHE, UK company number, SIREN and SIRET, REA."""
    for match in _GERMAN_REGISTER.finditer(text):
        yield f"{match[1].replace(' ', '')} {match[2]}"
    for match in _AUSTRIAN_REGISTER.finditer(text):
        yield f"FN {match[1]}"
    for match in _SWISS.finditer(text):
        number = _checked(ch_uid.validate, match.group())
        if number:
            yield ch_uid.format(number)
    for match in _UK_REGISTER.finditer(text):
        yield match[1].upper().replace(" ", "")
    for pattern in (_ENGLISH_REGISTER, _SHORT_REGISTER):
        for match in pattern.finditer(text):
            yield match[1].upper()
    for match in _FRENCH_REGISTER.finditer(text):
        number = _checked(fr_siren.validate, match[1].replace(".", " "))
        if number:
            yield str(fr_siren.compact(number))
    for match in _ITALIAN_REGISTER.finditer(text):
        yield "REA " + re.sub(r"[ -]+", "-", match[1])


def valid_vat_id(value: str) -> str:
    """The VAT id in its compact form, or empty when its check digit is wrong."""
    return next(iter([*_first_valid(value.strip().upper()), *find_vat_ids(f"VAT {value}")]), "")


def _first_valid(candidate: str) -> Iterator[str]:
    """The longest valid beginning: a word after the number may look like part of it."""
    words = re.split(r"([ .-])", candidate.strip(" .-:"))
    for end in range(len(words), 0, -2):
        compact = re.sub(r"[ .:-]", "", "".join(words[:end]))
        number = _checked(gb_vat.validate, compact[2:]) if compact.startswith("GB") else _checked(_eu, compact)
        if number:
            yield compact
            return


def _eu(number: str) -> str:
    return str(eu_vat.validate(number))


def _spanish(number: str) -> str:
    compact = re.sub(r"[ .-]", "", number)
    return str(es_cif.validate(compact) if compact[0].isalpha() else es_nif.validate(compact))


def _checked(validate: Callable[[str], str], number: str) -> str:
    try:
        return str(validate(number))
    except ValidationError:
        return ""


_NATIONAL: tuple[tuple[re.Pattern[str], Callable[[str], str], str], ...] = (
    (_UK, gb_vat.validate, "GB"),
    (_ITALY, it_iva.validate, "IT"),
    (_SPAIN, _spanish, "ES"),
)
