"""The sample web and its truth file agree, and are as rich as the tests that use them need."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from tests.sample_web.server import Sites, load_faults

from credit_signals.domain import FetchStatus, SiteStatus, Stance, Subject
from credit_signals.taxonomy.signals import SIGNAL_CODES

SAMPLE_WEB = Path(__file__).resolve().parents[1] / "sample_web"
TRUTH: list[dict[str, Any]] = json.loads((SAMPLE_WEB / "truth.json").read_text("utf-8"))["companies"]
SITES = Sites(SAMPLE_WEB / "sites")
CODES = {each.code for each in SIGNAL_CODES}
READ = [company for company in TRUTH if company["status"] == SiteStatus.READ]
INVISIBLE = "script, style, head, noscript, [style*='display:none']"
# XHTML pages open with an XML declaration and are read as HTML, as browsers do with this content type.
pytestmark = pytest.mark.filterwarnings("ignore::bs4.XMLParsedAsHTMLWarning")
PRIVATE = re.compile(r"127\.|10\.|\[::1\]|169\.254\.|192\.168\.")


@cache
def soup_of(url: str) -> BeautifulSoup:
    """The parsed page behind an address of the sample web."""
    parts = urlsplit(url)
    file = SITES.find(parts.netloc, parts.path)
    assert file is not None, url
    return BeautifulSoup(file.read_bytes(), "lxml")


def folded(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


@cache
def visible_text(url: str) -> str:
    """What a browser would show of a page, folded."""
    soup = BeautifulSoup(str(soup_of(url)), "lxml")
    for hidden in soup.select(INVISIBLE):
        hidden.decompose()
    return folded(soup.get_text())


def links_of(url: str) -> set[str]:
    """Absolute addresses of a page's links and frames, without fragments."""
    found = [str(tag.get("href") or tag.get("src")) for tag in soup_of(url).select("a[href], frame[src], iframe[src]")]
    return {urljoin(url, link).split("#", 1)[0] for link in found}


def pages_of(domain: str) -> set[str]:
    """The pages of a site that links lead to, the home page first."""
    home = f"http://{domain}/"
    seen, waiting = {home}, [home]
    while waiting:
        for link in links_of(waiting.pop()) - seen:
            file = SITES.find(urlsplit(link).netloc, urlsplit(link).path)
            if urlsplit(link).netloc == domain and file and file.suffix in {".html", ".htm"}:
                seen.add(link)
                waiting.append(link)
    return seen


def quotes() -> list[tuple[str, dict[str, Any]]]:
    """Every planted signal and trap with its company's domain."""
    return [(company["domain"], item) for company in TRUTH for item in [*company["signals"], *company["traps"]]]


def test_companies_match_the_list() -> None:
    """The company list and the truth file name the same domains, each once."""
    with (SAMPLE_WEB / "companies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    domains = [row["domain"] for row in rows]
    assert domains == [company["domain"] for company in TRUTH]
    assert len(set(domains)) == len(domains)
    assert all(row["url"] == f"http://{row['domain']}/" for row in rows)


def test_the_sample_is_rich() -> None:
    """The sample keeps its breadth: languages, codes, stances, subjects and traps."""
    languages = Counter(company["language"] for company in READ)
    signals = [signal for company in TRUTH for signal in company["signals"]]
    english = [signal for company in READ if company["language"] == "en" for signal in company["signals"]]
    assert len(READ) >= 26
    assert languages["en"] >= 16
    assert languages["de"] >= 4
    assert languages["fr"] >= 3
    assert len(signals) >= 40
    assert len(english) >= 32
    assert {signal["code"] for signal in english} == CODES
    assert {signal["stance"] for signal in english} == set(Stance)
    assert {signal["subject"] for signal in signals} == set(Subject)
    assert sum(len(company["traps"]) for company in TRUTH) >= 40
    assert len({company["nace_section"] for company in READ}) >= 10


def test_every_status_of_a_faulty_site_occurs() -> None:
    """Every way in which a site can refuse to be read has a sample, but for our own failures and private addresses."""
    expected = set(SiteStatus) - {SiteStatus.FAILED, SiteStatus.BLOCKED_ADDRESS}
    assert {company["status"] for company in TRUTH} == expected


def test_values_are_of_the_product() -> None:
    """Codes, stances, subjects, severities and outcomes are those of the domain."""
    for company in TRUTH:
        assert set(company["page_status"].values()) <= set(FetchStatus)
        for signal in company["signals"]:
            assert signal["code"] in CODES
            assert signal["stance"] in set(Stance)
            assert signal["subject"] in set(Subject)
            assert signal["severity"] in {1, 2, 3}


def test_quotes_are_unique() -> None:
    """No sentence is planted twice with the same meaning, and none is both signal and trap."""
    planted = [(domain, item["quote"], item.get("code", "")) for domain, item in quotes()]
    assert [each for each, times in Counter(planted).items() if times > 1] == []
    for company in TRUTH:
        traps = {trap["quote"] for trap in company["traps"]}
        assert not traps & {signal["quote"] for signal in company["signals"]}


@pytest.mark.parametrize("company", READ, ids=lambda company: company["domain"])
def test_quotes_stand_on_their_pages(company: dict[str, Any]) -> None:
    """Each quote is in the visible text of its page; a hidden trap is in the file but not visible."""
    for item in [*company["signals"], *company["traps"]]:
        hidden = item.get("kind") == "hidden"
        assert (item["quote"] in visible_text(item["url"])) is not hidden, item
        assert item["quote"] in folded(soup_of(item["url"]).get_text())


@pytest.mark.parametrize("company", READ, ids=lambda company: company["domain"])
def test_links_lead_to_every_page(company: dict[str, Any]) -> None:
    """A crawler that follows links finds every page of a site."""
    domain = company["domain"]
    reached = {SITES.find(domain, urlsplit(url).path) for url in pages_of(domain)}
    assert reached == {file for file in SITES.roots[domain].rglob("*") if file.suffix in {".html", ".htm"}}


@pytest.mark.parametrize("company", READ, ids=lambda company: company["domain"])
def test_links_name_nothing_real(company: dict[str, Any]) -> None:
    """Every linked host is reserved for examples or private, and a missing target is a planted fault."""
    faults = {(fault.host, fault.path) for fault in load_faults(SAMPLE_WEB / "faults.toml")}
    for url in pages_of(company["domain"]):
        for link in links_of(url):
            parts = urlsplit(link)
            assert parts.scheme != "http" or parts.netloc.endswith(".example") or PRIVATE.match(parts.netloc), link
            if parts.netloc == company["domain"]:
                known = SITES.find(parts.netloc, parts.path) or link in company["page_status"]
                assert known or (parts.netloc, parts.path) in faults, link


@pytest.mark.parametrize("company", READ, ids=lambda company: company["domain"])
def test_facts_stand_on_the_site(company: dict[str, Any]) -> None:
    """Every fact of the truth file can be read on some page, in its text or its structured data."""
    pages = sorted(pages_of(company["domain"]))
    soups = [soup_of(url) for url in pages]
    everything = " ".join(
        folded(text) for soup in soups for text in [soup.get_text(), *(tag.get_text() for tag in soup("script"))]
    )
    for fact in company["facts"]:
        parts = fact["value"].split(", ")
        assert all(part in everything for part in parts), fact
