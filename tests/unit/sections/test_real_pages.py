"""Pages that nobody of this project wrote. Skipped where the development data is absent."""

import json
import re
from pathlib import Path

import pytest

from credit_signals.domain import Page, PageRole, now
from credit_signals.sections import drop_repeats, find_site_facts, split_page

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="development data (shared/data) is not beside the project")


def page(path: Path, url: str, role: PageRole) -> Page:
    """A page of a file."""
    raw = path.read_bytes()
    try:
        html = raw.decode("utf-8")
    except UnicodeDecodeError:
        html = raw.decode("latin-1")
    return Page(id=url, company_id="c", url=url, html=html, depth=1, role=role, fetched_at=now())


def words(text: str) -> str:
    """A text's words alone, for comparison."""
    return re.sub(r"\W+", " ", text.replace("\u00ad", "")).casefold()


@needs_data
def test_main_text_of_messy_pages_survives() -> None:
    """At least 97% of the strings that 220 pages' main text holds are kept (an article extractor keeps 94%)."""
    expected = json.loads((DATA / "extraction" / "evaldata.json").read_text(encoding="utf-8"))
    found = total = 0
    for url, answer in expected.items():
        split = split_page(page(DATA / "extraction" / "html" / answer["file"], url, PageRole.OTHER))
        text = words(" ".join(section.text for section in split.sections))
        total += len(answer["with"])
        found += sum(words(wanted) in text for wanted in answer["with"])
    assert found / total >= 0.97


@needs_data
def test_every_imprint_fact_of_a_german_site_is_found() -> None:
    """Name, address, telephone and mail stand in its imprint; nothing else is invented."""
    root = DATA / "sites" / "de-bego-gebaeudereinigung"
    pages = [page(root / f"{name}.html", f"https://x.example/{name}", role) for name, role in GERMAN_PAGES]
    sections, _ = drop_repeats([split_page(each) for each in pages])
    keys = {fact.key for fact in find_site_facts(pages, sections, "DE") if fact.source == "imprint"}
    assert keys == {"legal_name", "address", "phone", "email"}


@needs_data
def test_a_real_template_imprint_gives_no_facts() -> None:
    """A placeholder imprint is a missing imprint."""
    imprint = page(DATA / "sites/de-unikat-moebel/impressum/index.html", "https://x.example/i", PageRole.IMPRINT)
    facts = find_site_facts([imprint], split_page(imprint).sections, "DE")
    assert [fact.key for fact in facts] == ["missing_imprint"]


@needs_data
def test_malformed_markup_is_read() -> None:
    """The tokenizer cases of html5lib, whole and one by one, raise nothing."""
    cases = [
        case["input"]
        for file in sorted((DATA / "html5lib_tests" / "tokenizer").glob("*.test"))
        for case in json.loads(file.read_text(encoding="utf-8")).get("tests", [])
    ]
    assert len(cases) > 1_000
    for html in [*cases, "".join(cases)]:
        broken = Page(
            id="x", company_id="c", url="https://x.example/", html=html, depth=0, role=PageRole.HOME, fetched_at=now()
        )
        sections, _ = drop_repeats([split_page(broken)])
        find_site_facts([broken], sections, "DE")


GERMAN_PAGES = (("index", PageRole.HOME), ("impressum", PageRole.IMPRINT), ("kontakt", PageRole.CONTACT))
