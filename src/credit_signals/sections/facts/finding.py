"""What a site says of its company without a model: imprint facts, and whether an imprint is missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from credit_signals.domain import Page, PageRole, Section, SectionKind, SiteFact
from credit_signals.sections.facts.identifiers import find_register_numbers, find_vat_ids
from credit_signals.sections.facts.names import find_company_names, find_leaders
from credit_signals.sections.facts.news import stale_news
from credit_signals.sections.facts.organisations import organisation_facts
from credit_signals.sections.facts.placeholders import is_placeholder, is_template
from credit_signals.sections.facts.places import (
    find_addresses,
    find_called_phones,
    find_mails,
    find_phones,
    without_names,
)
from credit_signals.sections.text import comparison_key

_IMPRINT_COUNTRIES = frozenset({"DE", "AT", "CH"})  # DE: DDG § 5; AT: ECG § 5; CH: UWG Art. 3
_IMPRINT_WORDS = re.compile(r"\b(?:impressum|imprint|anbieterkennzeichnung|offenlegung)\b", re.IGNORECASE)
_LEGAL_NOTICE = re.compile(
    r"impressum|imprint|mentions[ _-]l[eé]gales|legal[ _-]notice|aviso[ _-]legal|note[ _-]legali|site[ _-]notice",
    re.IGNORECASE,
)
# From here on a legal notice speaks of others: its host, its designer, the authority that hears complaints.
_OF_OTHERS = re.compile(
    r"\b(?:h[ée]berge(?:ur|ment|é)|hosting|hosted|hoster|webhosting|web ?design|website by|site by|realisierung"
    r"|umsetzung|konzept|realizzazione|créé par|réalisation|conception|streitschlichtung|streitbeilegung|bildnachweis"
    r"|datenschutzbeauftragte\w*|aufsichtsbehörde|data protection officer|schlichtungsstelle)\b",
    re.IGNORECASE,
)
_COURT = re.compile(
    r"\b(?:Registergericht|Handelsregister|Amtsgericht|Handelsgericht|Landesgericht|Firmenbuchgericht)\b[ :]{0,3}"
    r"(?:des |beim |am |:)?[ ]?(?:(?:Amtsgerichts?|AG|Handelsgericht|Landesgericht)[ ])?[: ]{0,2}"
    r"([A-ZÄÖÜ][\wäöüß-]+(?: (?:am|an der|a\.|in|[A-ZÄÖÜ][\wäöüß()/.-]+)){0,3}?)"
    r"(?=[\n,;|.(]| HR| GnR| VR| unter|  |$| - | –)"
)
_SHORT_COURT = re.compile(r"\bAG ([A-ZÄÖÜ][\wäöüß-]+(?: [a-zA-Z][\wäöüß.-]+)?)(?=[,:]? ?(?:unter )?HR ?[AB]\b)")
_COURT_KIND = re.compile(r"Handelsgericht|Landesgericht")
_RCS = re.compile(r"\bR\.?C\.?S\.?\s(?:de |d')?([A-ZÀ-Þ][\wÀ-ÿ-]+(?:[ -][A-ZÀ-Þ][\wÀ-ÿ-]+)?)")
_REGISTERED_IN = re.compile(
    r"\bregistered (?:company )?in (England(?: (?:and|&) Wales)?|Scotland|Northern Ireland|Wales)\b", re.I
)
_FOUNDED = re.compile(
    r"\b(?:gegründet(?: im Jahre?)?|Gründung(?:sjahr)?|founded(?: in)?|established(?: in)?|est\.?|fondée?s?(?: en)?"
    r"|fondata(?: nel)?|fundada(?: en)?|seit(?: dem Jahr)?|since|depuis|dal|desde)\s*:?\s*(1[6-9]\d\d|20[0-2]\d)\b",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(r"©|\(c\)|\bcopyright\b", re.IGNORECASE)
_LINES_OF_A_FOOTER = 3
_POST_CODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4,5}(?= [A-ZÀ-Þ])|\d{5})\b")
_MOST = {"legal_name": 2, "address": 3, "phone": 3, "email": 3, "founded": 1, "register_court": 1}
_SOURCES = ("imprint", "json-ld", "microdata", "footer", "contact", "legal", "about", "home", "team", "products")
_BETWEEN_TITLES = re.compile(r"\s[|·–—-]\s|: ")
_HYPHENS = str.maketrans("\u2010\u2011\u2012\u00a0", "--- ")


def find_site_facts(pages: Sequence[Page], sections: Sequence[Section], country_hint: str = "") -> list[SiteFact]:
    """Imprint facts from structured data and from imprint, contact and footer text, best source first; and the faults
    `missing_imprint` and `stale_news`.

    `country_hint` is an ISO 3166 alpha-2 code, or empty: then the site's top-level domain and language decide whether
    an imprint is demanded. An imprint page that is an unfilled template gives no facts.
    """
    templates = _template_urls(sections)
    names = _names(pages)
    facts = [_without_name(fact, names) for fact in _from_text(sections) if fact.url not in templates]
    facts.extend(_own_mails(sections))
    facts.extend(_from_structured_data(page for page in pages if page.url not in templates))
    facts = [fact for fact in facts if not is_placeholder(fact.value)]
    missing = _missing_imprint(pages, sections, country_hint, templates)
    return [*_distinct(facts), *missing, *stale_news(pages, sections)]


def _names(pages: Iterable[Page]) -> frozenset[str]:
    """Comparison keys of what the site calls itself: the parts of its pages' titles."""
    titles = (part for page in pages for part in _BETWEEN_TITLES.split(page.title))
    return frozenset(key for key in map(comparison_key, titles) if key)


def _without_name(fact: SiteFact, names: frozenset[str]) -> SiteFact:
    if fact.key != "address":
        return fact
    return fact.model_copy(update={"value": without_names(fact.value, names)})


def _own_mails(sections: Iterable[Section]) -> Iterator[SiteFact]:
    """Mail addresses under the site's own domain, wherever they stand."""
    for section in sections:
        host = (urlsplit(section.url).hostname or "").removeprefix("www.")
        for mail in find_mails(section.text) if "@" in section.text else ():
            if mail.endswith(f"@{host}"):
                yield SiteFact(key="email", value=mail, url=section.url, source=str(section.role))


def _template_urls(sections: Sequence[Section]) -> frozenset[str]:
    texts: dict[str, list[str]] = {}
    for section in sections:
        if _source(section) in {"imprint", "contact", "legal"}:
            texts.setdefault(section.url, []).append(section.text)
    return frozenset(url for url, parts in texts.items() if is_template("\n".join(parts)))


def _source(section: Section) -> str:
    """Where a section stands, as a fact's source; empty when no fact is taken from there."""
    if section.kind is SectionKind.FOOTER:
        return "footer"
    if section.role is PageRole.IMPRINT or any(_IMPRINT_WORDS.search(heading) for heading in section.heading_path):
        return "imprint"
    if section.role is PageRole.LEGAL:
        # Terms and privacy pages name many other companies.
        named = _LEGAL_NOTICE.search(section.url) or any(map(_LEGAL_NOTICE.search, section.heading_path))
        return "imprint" if named else ""
    return str(section.role) if section.role in {PageRole.CONTACT, PageRole.ABOUT, PageRole.HOME} else ""


def _from_text(sections: Sequence[Section]) -> Iterator[SiteFact]:
    last = {section.url: section for section in sections}
    for section in last.values():
        yield from _from_page_end(section)
    for section in sections:
        source = _source(section)
        if not source or any(map(_OF_OTHERS.search, section.heading_path)):
            continue
        text = section.text.translate(_HYPHENS)
        others = _OF_OTHERS.search(text)
        if others:
            text = text[: others.start()]
        for key, value in _text_facts(text, source):
            yield SiteFact(key=key, value=" ".join(value.split()), url=section.url, source=source)


def _from_page_end(section: Section) -> Iterator[SiteFact]:
    """Facts of a page's last lines where they read as a footer that no markup marks: an address, and whose it is."""
    if _source(section) not in {"", "home", "about"} or section.role is PageRole.LEGAL:
        return
    end = "\n".join(section.text.translate(_HYPHENS).split("\n")[-_LINES_OF_A_FOOTER:])
    whose = _COPYRIGHT.search(end) or any(find_company_names(end))
    if whose and any(find_addresses(end)) and not _OF_OTHERS.search(end):
        for key, value in _text_facts(end, "footer"):
            yield SiteFact(key=key, value=" ".join(value.split()), url=section.url, source="footer")


def _text_facts(text: str, source: str) -> Iterator[tuple[str, str]]:
    """Facts of one text. Prose (about, home) gives only what is labelled beyond doubt."""
    yield from (("register_number", number) for number in find_register_numbers(text))
    yield from (("vat_id", number) for number in find_vat_ids(text))
    if source in {"home", "about", "footer", "imprint"}:
        yield from (("founded", match[1]) for match in _FOUNDED.finditer(text))
    yield from (("register_court", court) for court in _courts(text))
    if source in {"home", "about"}:
        yield from (("phone", phone) for phone in find_called_phones(text))
        return
    yield from (("legal_name", name) for name in find_company_names(text))
    if source != "contact":
        yield from (("managing_director", name) for name in find_leaders(text))
    yield from (("address", address) for address in find_addresses(text))
    yield from (("phone", phone) for phone in find_phones(text))
    yield from (("email", mail) for mail in find_mails(text))


def _courts(text: str) -> Iterator[str]:
    for match in _COURT.finditer(text):
        if match[1] not in {"Amtsgericht", "Registernummer", "Nummer", "Nr", "Eintragung", "Eintrag"}:
            kind = _COURT_KIND.search(match.group())
            yield f"{kind.group() if kind else 'Amtsgericht'} {match[1]}"
    yield from (f"Amtsgericht {match[1]}" for match in _SHORT_COURT.finditer(text))
    yield from (f"RCS {match[1]}" for match in _RCS.finditer(text))
    yield from (match[1] for match in _REGISTERED_IN.finditer(text))


def _from_structured_data(pages: Iterable[Page]) -> Iterator[SiteFact]:
    for page in pages:
        for source, key, value in organisation_facts(page.html):
            yield SiteFact(key=key, value=value, url=page.url, source=source)


def _distinct(facts: Iterable[SiteFact]) -> list[SiteFact]:
    """Each value once, best source first, most often stated next, no more of a key than a site can mean."""
    ordered = sorted(facts, key=lambda fact: _rank(fact.source))
    times = Counter(_same(fact) for fact in ordered)
    first: dict[tuple[str, str], SiteFact] = {}
    for fact in ordered:
        first.setdefault(_same(fact), fact)
    ranked = sorted(first.values(), key=lambda fact: (fact.key, _rank(fact.source), -times[_same(fact)], fact.url))
    taken: Counter[str] = Counter()
    kept: list[SiteFact] = []
    for fact in ranked:
        if taken[fact.key] < _MOST.get(fact.key, 6):
            taken[fact.key] += 1
            kept.append(fact)
    return kept


def _rank(source: str) -> int:
    return _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)


def _same(fact: SiteFact) -> tuple[str, str]:
    """Equal for values that mean the same: phone numbers by their last digits, addresses by their post code."""
    if fact.key == "phone":
        return fact.key, re.sub(r"\D", "", fact.value.replace("(0)", ""))[-8:]
    if fact.key == "address" and (post_code := _POST_CODE.search(fact.value)):
        return fact.key, re.sub(r"\W", "", post_code.group())
    return fact.key, re.sub(r"\W", "", fact.value.casefold()).replace("limited", "ltd")


def _missing_imprint(
    pages: Sequence[Page], sections: Sequence[Section], country_hint: str, templates: frozenset[str]
) -> list[SiteFact]:
    if not pages or not _demands_imprint(pages, sections, country_hint.strip().upper()):
        return []
    home = min(pages, key=lambda page: (page.depth, page.url)).url
    imprints = {page.url for page in pages if page.role is PageRole.IMPRINT}
    imprints |= {section.url for section in sections if any(map(_IMPRINT_WORDS.search, section.heading_path))}
    if imprints - templates:
        return []
    if imprints:
        return [SiteFact(key="missing_imprint", value="unfilled template", url=min(imprints), source="crawl")]
    linked = any(_IMPRINT_WORDS.search(f"{link.anchor} {link.url}") for page in pages for link in page.links)
    if linked:
        return []  # it is there, but was not fetched
    return [SiteFact(key="missing_imprint", value="no imprint page found", url=home, source="crawl")]


def _demands_imprint(pages: Sequence[Page], sections: Sequence[Section], country: str) -> bool:
    if country:
        return country in _IMPRINT_COUNTRIES
    host = urlsplit(pages[0].url).hostname or ""
    if host.rpartition(".")[2].upper() in _IMPRINT_COUNTRIES:
        return True
    languages = Counter(section.language for section in sections if section.language)
    return bool(languages) and languages.most_common(1)[0][0] == "de"
