"""Organisations that a page describes in structured data (schema.org), however nested or broken."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from credit_signals.sections.facts.identifiers import find_register_numbers, valid_vat_id
from credit_signals.sections.facts.names import names_legal_form
from credit_signals.sections.facts.structured import structured_data
from credit_signals.sections.text import clean_text

_NODES = 5_000
_TEXT_LIMIT = 500
# Under these keys stands another organisation, or a person's.
_OF_OTHERS = frozenset(
    {"brand", "memberOf", "parentOrganization", "affiliation", "sponsor", "funder", "review", "author", "alumniOf"}
    | {"hasCredential", "award", "manufacturer", "creator", "reviewedBy", "customer", "seller", "worksFor", "performer"}
)
_NOT_ORGANISATIONS = frozenset(
    {"Person", "Event", "Place", "WebSite", "WebPage", "Product", "PostalAddress", "ContactPoint", "JobPosting"}
    | {"Article", "NewsArticle", "BlogPosting", "Offer", "Service", "ImageObject", "BreadcrumbList", "Review"}
)


def organisation_facts(markup: str) -> Iterator[tuple[str, str, str]]:
    """Source, key and value of the facts that a page's structured data states of organisations."""
    scripts, items = structured_data(markup)
    for source, data in (("json-ld", scripts), ("microdata", items)):
        for node in _nodes(data):
            if _is_organisation(node):
                yield from ((source, key, value) for key, value in _facts(node))


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    waiting, seen = [data], 0
    while waiting and seen < _NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            yield node
            waiting.extend(value for key, value in node.items() if key not in _OF_OTHERS)


def _is_organisation(node: dict[str, Any]) -> bool:
    types = {str(each).rpartition("/")[2] for each in _as_list(node.get("@type"))}
    if any("Organization" in each or each in {"LocalBusiness", "Corporation"} for each in types):
        return True
    return bool(types) and not types & _NOT_ORGANISATIONS and "name" in node and "address" in node


def _facts(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("legalName", "name"):
        for name in _texts(node.get(key)):
            if key == "legalName" or names_legal_form(name):
                yield "legal_name", name
    for address in _as_list(node.get("address")):
        written = _address(address)
        if written:
            yield "address", written
    for contact in [node, *(each for each in _as_list(node.get("contactPoint")) if isinstance(each, dict))]:
        yield from (("phone", phone) for phone in _texts(contact.get("telephone")))
        yield from (("email", mail.removeprefix("mailto:")) for mail in _texts(contact.get("email")) if "@" in mail)
    for key in ("vatID", "taxID"):
        yield from (("vat_id", valid) for valid in map(valid_vat_id, _texts(node.get(key))) if valid)
    for identifier in _texts(node.get("identifier")):
        yield from (("register_number", number) for number in find_register_numbers(identifier))
    for date in _texts(node.get("foundingDate")):
        if re.match(r"\d{4}", date):
            yield "founded", date[:4]


def _address(address: Any) -> str:
    if isinstance(address, str):
        return clean_text(address).replace("\n", ", ")
    if not isinstance(address, dict):
        return ""
    street, town, code = (
        ", ".join(_texts(address.get(key))) for key in ("streetAddress", "addressLocality", "postalCode")
    )
    return ", ".join(part for part in (street, f"{code} {town}".strip()) if part) if street or code else ""


def _texts(value: Any) -> list[str]:
    plain = (str(each)[:_TEXT_LIMIT] for each in _as_list(value) if isinstance(each, str | int | float))
    return [text for text in map(clean_text, map(html.unescape, plain)) if text]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
