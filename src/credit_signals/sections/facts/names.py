"""Names of companies and of the people who lead them, as imprints write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FORMS = (
    r"(?:gemeinnützige )?(?:g?GmbH|UG(?: ?\(haftungsbeschränkt\))?|mbH|AG|SE|KGaA)(?: ?& ?Co\.? ?(?:KGaA|KG|OHG))?"
    r"|(?:KG|OHG|GbR|eG|e\. ?K\.|e\. ?Kfm\.|e\. ?V\.|PartG(?: ?mbB)?|OG|KEG)"
    r"|Ltd\.?|Limited|PLC|plc|LLP|LLC|L\.L\.C\.|Inc\.?|Corp\.?|CIC"
    r"|S\.?A\.?R\.?L\.?|SASU|S\.?A\.?S\.?|EURL|SNC|SCOP|S\.?A\.?"
    r"|S\.?r\.?l\.?s?\.?|S\.?p\.?A\.?|S\.?n\.?c\.?|S\.?a\.?s\.?"
    r"|S\.?L\.?U?\.?|B\.?V\.?|N\.?V\.?|ApS|A/S|AB|Oy|s\. ?r\. ?o\.|Sp\. ?z ?o\. ?o\."
)
_WORD = r"[A-ZÀ-Þ0-9][\wÀ-ÿ&.'’+/-]*"
_JOIN = r"(?:&|\+|und|and|et|e|di|of|the|für|de|du|la|y|-|–)"
_COMPANY = re.compile(rf"(?<![\w@.])({_WORD}(?: (?:{_WORD}|{_JOIN}|\([^)\n]{{1,20}}\))){{0,6}},? (?:{_FORMS}))(?![\w])")
_LEADS_IN = re.compile(
    r"^(?:©|\(c\)|copyright|by|\d{4}(?:\s?[-–]\s?\d{4})?|firma|anbieter|herausgeber|betreiber|company"
    r"|§|\d+ (?:DDG|TMG|ECG|MDStV))(?!\w)[\s:.,-]*",
    re.IGNORECASE,
)
# "X is a trademark of ...": another company's name.
_OF_ANOTHER = re.compile(
    r"(?:propriet\w+ d[ei]|propriété de|property of|trademarks? of|marken? de[rs]|(?:part|member|subsidiary) of"
    r"|mitglied (?:de[rs]|im)|administrators?|liquidators?|insolvenzverwalter\w*|auditors?)\b[^.\n]{0,30}$",
    re.IGNORECASE,
)

_TITLE = (
    r"(?:(?:Dr|Prof|Dipl|Ing|Mag|Mr|Mrs|Ms|Herr|Frau|Mme|Madame|Monsieur|Sig|Dott|M|Kfm|med|h\.c|rer|nat|jur)\.?[ -])*"
)
_NAME_WORD = r"[A-ZÀ-Þ][a-zà-ÿß'’A-ZÀ-Þ-]+"
_PERSON = rf"{_TITLE}{_NAME_WORD}(?: (?:von|van|der|den|de|zu|del|di|la|[A-Z]\.|{_NAME_WORD})){{1,3}}"
_ROLE = (
    r"(?:(?:vertretungsberechtigte[rn]?|alleinige[rn]?|geschäftsführende[rn]?)\s+)?"
    r"(?:Geschäftsführer(?:in|innen|/in|\*in|:in)?|Geschäftsführung|Gesch(?:\.|äftsf\.)|Geschäftsleitung|Gesellschafter"
    r"|Inhaber(?:in|/in)?|Vertreten durch|Vertretungsberechtigte?r?|Vorstand|Managing directors?|Directors?|Owners?"
    r"|Proprietors?|Gérante?s?|Président(?:e)?|Directeur de (?:la )?publication|Directrice de (?:la )?publication"
    r"|Responsable de (?:la )?publication|Legale rappresentante|Amministratore(?: unico| delegato)?|Titolare"
    r"|Administrador(?:a)?(?: único)?|Titular)"
)
_LED_BY = re.compile(
    rf"(?<!\w)(?i:{_ROLE})(?i:(?: durch)? (?:den|die) (?:Geschäftsführer(?:in)?|Vorstand|Inhaber(?:in)?))?"
    rf"(?: ?\([^)\n]{{1,30}}\))?(?P<mark>[ ]?[:|–-][ |\n]*|\n|[ ])(?P<names>{_PERSON}"
    rf"(?:(?:, ?| und | and | et | e | y | ?& ?| ?/ ?|\n){_PERSON}){{0,5}})"
)
_BETWEEN = re.compile(r", ?| und | and | et | e | y | ?& ?| ?/ ?|\n")
_NOT_A_NAME = re.compile(
    r"\b(?:tel|telefon|phone|fax|e-?mail|mail|kontakt|contact|adresse|address|sitz|register\w*|handelsregister|amtsgericht"
    r"|umsatz\w*|ust|steuer\w*|gmbh|ltd|limited|straße|strasse|weg|platz|road|street|haftung\w*|inhalt\w*|verantwort\w*"
    r"|redaktion|datenschutz|impressum|our|we|the|wir|unser\w*|home|team|capital|siret|rcs|siège|sede|angaben|mobil"
    r"|geschäftsführer\w*|inhaber\w*|firma|website|webdesign|internet|und|and|diese[rs]?|die|der|das|eu|online)\b",
    re.IGNORECASE,
)


def names_legal_form(text: str) -> bool:
    """Whether a text ends in or holds a company's legal form."""
    return _COMPANY.search(text) is not None


def find_company_names(text: str) -> Iterator[str]:
    """Names with a legal form ("Muster & Söhne GmbH"), without what leads in to them."""
    for match in _COMPANY.finditer(text):
        if _OF_ANOTHER.search(text[max(0, match.start() - 40) : match.start()]):
            continue
        name = match[1]
        while (shorter := _LEADS_IN.sub("", name)) != name:
            name = shorter
        if len(name.split()) > 1:
            yield re.sub(r"(?<=\b[Ll]td)\.$|(?<=Limited)\.$", "", name.strip(" ,"))


def find_leaders(text: str) -> Iterator[str]:
    """People named as managing director, owner, board or legal representative."""
    for match in _LED_BY.finditer(text):
        position = match.start("names")
        for name in _BETWEEN.split(match["names"]):
            position = text.index(name, position) + len(name)
            street = re.match(r",? ?\d", text[position : position + 3])
            if street or _NOT_A_NAME.search(name) or len(name.split()) == 1:
                break
            yield name.strip()
