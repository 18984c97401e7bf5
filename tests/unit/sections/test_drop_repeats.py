"""Blocks that a site repeats are kept once."""

from credit_signals.domain import Page, PageRole, now
from credit_signals.sections import drop_repeats, split_page

FOOTER = "<footer><p>Firm Ltd, 1 Mill Lane, Kendal LA9 4QB. Registered in England.</p></footer>"
NOTICE = "<p>Our shop in Kendal closes for good at the end of May.</p>"


def page(name: str, html: str, role: PageRole) -> Page:
    """A page of the site."""
    url = f"https://firm.example/{name}"
    depth = 0 if role is PageRole.HOME else 1
    return Page(id=url, company_id="c", url=url, html=html, depth=depth, role=role, html_lang="en", fetched_at=now())


def site() -> list[Page]:
    """Three pages with one footer and a notice that two of them carry."""
    return [
        page("", f"<main><h1>Welcome to our firm</h1>{NOTICE}</main>{FOOTER}", PageRole.HOME),
        page(
            "news", f"<main><h1>News of the year</h1>{NOTICE}<p>We bought a new saw.</p></main>{FOOTER}", PageRole.NEWS
        ),
        page("doors", f"<main><h1>Doors and windows</h1><p>Oak doors.</p></main>{FOOTER}", PageRole.PRODUCTS),
    ]


def test_a_repeated_block_is_kept_where_it_matters_most() -> None:
    """A notice teased on the home page stays on the news page; the footer stays on the home page."""
    sections, dropped = drop_repeats([split_page(each) for each in site()])
    where = {
        words: [section.url for section in sections if words in section.text]
        for words in ("closes for good", "1 Mill Lane", "Oak doors", "new saw")
    }
    assert where == {
        "closes for good": ["https://firm.example/news"],
        "1 Mill Lane": ["https://firm.example/"],
        "Oak doors": ["https://firm.example/doors"],
        "new saw": ["https://firm.example/news"],
    }
    assert {block.url for block in dropped if block.reason == "repeated"} == {each.url for each in site()}


def test_short_repeats_inside_text_stay() -> None:
    """A price that two pages share is part of the text around it."""
    first = page("a", "<p>Oak table, hand made in Kendal.</p><p>100 EUR</p><p>Delivery in May.</p>", PageRole.OTHER)
    second = page("b", "<p>Ash chair, turned on a lathe.</p><p>100 EUR</p><p>Delivery in June.</p>", PageRole.OTHER)
    sections, _ = drop_repeats([split_page(first), split_page(second)])
    assert sum(section.text.count("100 EUR") for section in sections) == 2


def test_a_repeated_heading_stays_with_its_text() -> None:
    """Text under a heading that every page has still says what it stands under, whatever the other pages do."""
    first = page("a", "<h2>Opening hours and how to find our shop</h2><p>Kendal: nine to five.</p>", PageRole.OTHER)
    second = page("b", "<h2>Opening hours and how to find our shop</h2><p>Ulverston: ten to four.</p>", PageRole.OTHER)
    sections, _ = drop_repeats([split_page(first), split_page(second)])
    assert {section.heading_path for section in sections} == {("Opening hours and how to find our shop",)}
    assert sum("Opening hours" in section.text for section in sections) == 2


def test_a_changed_page_changes_only_its_own_sections() -> None:
    """What stands on other pages keeps its hash, so that it is not read again."""
    before, _ = drop_repeats([split_page(each) for each in site()])
    changed = [
        *site()[:2],
        page("doors", f"<main><h1>Doors and windows</h1><p>Ash doors.</p></main>{FOOTER}", PageRole.PRODUCTS),
    ]
    after, _ = drop_repeats([split_page(each) for each in changed])
    fresh = {section.content_hash for section in after} - {section.content_hash for section in before}
    assert [section.url for section in after if section.content_hash in fresh] == ["https://firm.example/doors"]


def test_text_that_a_page_says_twice_is_kept_once() -> None:
    """Copies for small screens and endless carousels are read once."""
    twice = page("a", f"<div>{NOTICE}</div><div>Between them.</div><div>{NOTICE}</div>", PageRole.OTHER)
    sections, _ = drop_repeats([split_page(twice)])
    assert sum(section.text.count("closes for good") for section in sections) == 1
