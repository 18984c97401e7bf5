"""Imprint facts over the whole sample web, against what a careful reader finds there."""

from __future__ import annotations

import json
import re
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from credit_signals.crawl.charsets import decode_text
from credit_signals.crawl.roles import classify_role
from credit_signals.domain import Page, SiteFact, SiteStatus, now
from credit_signals.sections import drop_repeats, find_site_facts, split_page

SAMPLE_WEB = Path(__file__).resolve().parents[2] / "sample_web"
TRUTH: list[dict[str, Any]] = json.loads((SAMPLE_WEB / "truth.json").read_text("utf-8"))["companies"]
READ = [company for company in TRUTH if company["status"] == SiteStatus.READ]
FAULTS = {"stale_copyright", "stale_news", "missing_imprint"}
CLOSED_SETS = {"legal_name", "address", "register_number", "vat_id", "managing_director", "phone", "email"}


def pages_of(domain: str) -> list[Page]:
    """The HTML pages of a sample site, as a crawl would hand them over."""
    folder = SAMPLE_WEB / "sites" / domain
    return [page_of(domain, file, folder) for file in sorted(folder.rglob("*.htm*"))]


def page_of(domain: str, file: Path, folder: Path) -> Page:
    """One page of a file."""
    path = re.sub(r"(?:^|(?<=/))index\.html?$", "", file.relative_to(folder).as_posix())
    url = f"http://{domain}/{quote(path)}"
    html, _ = decode_text(file.read_bytes(), "text/html")
    title = re.search(r"<title>([^<]*)", html, re.IGNORECASE)
    return Page(
        id=url,
        company_id=domain,
        url=url,
        html=html,
        depth=1 if path else 0,
        role=classify_role(url),
        title=unescape(title[1]) if title else "",
        fetched_at=now(),
    )


def facts_of(domain: str) -> list[SiteFact]:
    """What is found on a sample site."""
    pages = pages_of(domain)
    sections, _ = drop_repeats([split_page(page) for page in pages])
    return [fact for fact in find_site_facts(pages, sections) if fact.key not in FAULTS]


def same(key: str, value: str) -> str:
    """A value without the accidents of spacing and punctuation."""
    folded = re.sub(r"[\W_]", "", value.casefold())
    return re.sub(r"\D", "", value) if key == "phone" else folded


def test_facts_of_the_sample_web(capsys: pytest.CaptureFixture[str]) -> None:
    """Of what the sites state at least 97% is found, and of what is found at least 97% is true."""
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    for company in READ:
        domain = company["domain"]
        truth = {(fact["key"], same(fact["key"], fact["value"])) for fact in company["facts"]}
        truth = {each for each in truth if each[0] not in FAULTS}
        facts = facts_of(domain)
        found = {(fact.key, same(fact.key, fact.value)) for fact in facts}
        counts.update(stated=len(truth), stated_found=len(truth & found))
        wrong += [f"{domain}: not found: {key} {value}" for key, value in sorted(truth - found)]
        for fact in facts:
            if fact.key in CLOSED_SETS:
                true = (fact.key, same(fact.key, fact.value)) in truth
                counts.update(found=1, found_true=true)
                if not true:
                    wrong.append(f"{domain}: not true: {fact.key} {fact.value!r} ({fact.source}, {fact.url})")
    recall, precision = counts["stated_found"] / counts["stated"], counts["found_true"] / counts["found"]
    with capsys.disabled():
        print(f"\nfacts of the sample web: {counts['stated']}, recall {recall:.3f}, precision {precision:.3f}")
    assert recall >= 0.97, "\n".join(wrong)
    assert precision >= 0.97, "\n".join(wrong)
