"""Pages for people: complete, self-contained, and safe with what hostile sites say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_signals.domain import Company, CompanyReport, Rejection, RunOverview, SiteStatus, Wanted
from credit_signals.report import IndexLinks, IndexPage, page_name, render_company, render_index
from credit_signals.report.gauge_dial import draw_dial, tone_of
from credit_signals.report.links import safe_href
from credit_signals.report.passages import passage
from credit_signals.store.listing import count_groups, listed

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202egnp.exe\u202c",
    "nul\x00 bell\x07 lone \ud800 end",
    "A" * 50_000,
]


def company_page(case: Any) -> str:
    """The page of a case."""
    return render_company(case.report, case.sections, case.fetches, case.graph_svg)


class _Elements(HTMLParser):
    """All elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.seen.append((tag, {name: value or "" for name, value in attrs}))


def elements(page: str) -> list[tuple[str, dict[str, str]]]:
    """Element names with their attributes."""
    parser = _Elements()
    parser.feed(page)
    return parser.seen


def assert_harmless(page: str) -> None:
    """No script, no handler, nothing loaded from elsewhere, only http(s) and local links, and it is valid UTF-8."""
    page.encode("utf-8")
    for tag, attributes in elements(page):
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "video", "audio", "foreignobject"}
        assert not [name for name in attributes if name.startswith("on")]
        assert "url(" not in attributes.get("style", "")
        if tag == "img":
            assert attributes["src"].startswith("data:image/svg+xml;base64,")
            assert set(attributes) == {"src", "alt"}
        if "href" in attributes:
            assert re.match(r"https?://|[a-z0-9._-]+\.html$|\?", attributes["href"]), attributes["href"]
            if attributes["href"].startswith("http"):
                assert "noreferrer" in attributes["rel"]
    assert "@import" not in page
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", page)


def test_everything_is_on_the_page(case: Any) -> None:
    """Gauge, contributions, activity, facts, fetches, ids and the caveat are shown in words, not by colour alone."""
    page = company_page(case)
    text = BeautifulSoup(page, "lxml").get_text(" ")
    assert_harmless(page)
    for expected in (
        "Harrow Castings Ltd",
        str(case.report.gauge.value),
        case.report.gauge.band,
        case.report.gauge.weights_version,
        case.report.run_id,
        case.report.reader_id,
        "Casting of metals",
        "1 Cupola Lane, Dudley",
        "the team page answers 404",
        "robots.txt disallows /admin",
        "language:cy",
        "never a probability of default",
        "severity 2 of 3",
    ):
        assert expected in " ".join(text.split()), expected
    assert text.count("\N{MINUS SIGN}") >= 4


def test_quotes_are_marked_inside_their_section(case: Any) -> None:
    """Each signal, the weightiest first, shows the words of its evidence, and only these, marked in their text."""
    soup = BeautifulSoup(company_page(case), "lxml")
    standing = soup.select("article.signal:not(.ended)")
    codes = ["layoffs", "site_closure", "contract_win", "hiring", "supply_disruption"]
    quotes = {signal.code: signal.evidence.quote for signal in case.report.signals}
    assert [article.h3.get_text() for article in standing] == [code.replace("_", " ") for code in codes]
    assert [article.mark.get_text() for article in standing] == [quotes[code] for code in codes]
    first = standing[0].blockquote.get_text()
    assert first == case.sections[case.report.signals[0].evidence.section_id].text


def test_withdrawn_statements_stand_apart(case: Any) -> None:
    """What vanished from the site is shown under its own heading with the day."""
    soup = BeautifulSoup(company_page(case), "lxml")
    (ended,) = soup.select("article.ended")
    assert "gone since 2026-11-20" in ended.get_text()


def test_a_section_that_does_not_hold_the_quote_is_not_shown(case: Any) -> None:
    """Offsets are checked again when shown; a mismatch never marks other words."""
    evidence = case.report.signals[0].evidence
    other = case.sections[evidence.section_id].model_copy(update={"text": "x" * 500})
    shown = passage(evidence, other)
    assert (shown.located, shown.before, shown.quote) == (False, "", evidence.quote)


def test_long_sections_are_cut_around_the_quote(case: Any) -> None:
    """Context is cut at word boundaries on both sides and the quote itself is whole."""
    evidence = case.report.signals[0].evidence
    part = case.sections[evidence.section_id]
    moved = evidence.model_copy(update={"start": evidence.start + 6000, "end": evidence.end + 6000})
    long = part.model_copy(update={"text": "lorem " * 1000 + part.text + " ipsum" * 1000})
    shown = passage(moved, long)
    assert shown.quote == evidence.quote
    assert shown.before.startswith("… lorem")
    assert shown.after.endswith("ipsum …")
    assert len(shown.before) < 300 > len(shown.after)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(case: Any, text: str) -> None:
    """Whatever a site or list says in any field, the page runs nothing and loads nothing."""
    company = Company(
        id=text, name=text, domain=text, url=f"javascript:{text}", country="GB", extra={text: text or "x"}
    )
    section = next(iter(case.sections.values()))
    hostile_section = section.model_copy(update={"text": text + section.text, "heading_path": (text,)})
    evidence = case.report.signals[0].evidence.model_copy(
        update={"url": text, "start": 0, "end": len(text), "quote": text, "section_id": section.id}
    )
    report = case.report.model_copy(
        update={
            "company": company,
            "reason": text,
            "unread_sections": {text: 1},
            "language": text,
            "run_id": text,
            "signals": tuple(each.model_copy(update={"evidence": evidence}) for each in case.report.signals),
            "site_facts": tuple(
                each.model_copy(update={"key": text, "value": text, "url": text, "source": text})
                for each in case.report.site_facts
            ),
            "activities": tuple(
                each.model_copy(update={"title": text, "evidence": (evidence,)}) for each in case.report.activities
            ),
            "reader_id": text,
        }
    )
    fetches = [each.model_copy(update={"url": f"https://a.example/{text}", "reason": text}) for each in case.fetches]
    page = render_company(report, {section.id: hostile_section}, fetches, f"<svg><script>{text}</script></svg>")
    assert_harmless(page)
    assert "49" not in BeautifulSoup(page, "lxml").h1.get_text()
    index = render_index(index_of([report], [Rejection(line=1, reason=text)], text))
    assert_harmless(index)
    assert len(index) < 200_000 or len(text) > 1000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(text=st.text(max_size=60))
def test_any_text_can_be_shown(case: Any, text: str) -> None:
    """No text of a site breaks a page, and it is shown as it is."""
    company = case.report.company.model_copy(update={"name": "N" + text})
    index = render_index(index_of([case.report.model_copy(update={"company": company})]))
    assert_harmless(index)
    if text.isprintable() and len(text) < 60:
        assert BeautifulSoup(index, "lxml").select_one("a.name").get_text() == "N" + text


def test_a_very_large_report_stays_readable(case: Any) -> None:
    """Thousands of fetches and signals are cut, and the page says how many are left out."""
    signals = tuple(case.report.signals[0].model_copy(update={"id": str(n)}) for n in range(1000))
    large = replace(
        case,
        report=case.report.model_copy(update={"signals": signals, "gauge": None}),
        fetches=case.fetches[3:4] * 3000,
    )
    page = company_page(large)
    assert "800 more are in the JSON results" in page
    assert "2500 more." in page
    assert len(page) < 2_000_000


@pytest.mark.parametrize("status", list(SiteStatus), ids=str)
def test_sites_that_were_not_judged_have_a_page(status: SiteStatus) -> None:
    """Without gauge, signals, graph and fetches the page says what became of the site."""
    company = Company(id="a", name="A", domain="a.example", url="https://a.example/")
    report = CompanyReport(run_id="r", company=company, status=status, reason="because")
    page = render_company(report, {}, [], "")
    assert_harmless(page)
    assert "not judged" in page
    assert status.replace("_", " ") + ": <bdi>because</bdi>" in page


def index_of(reports: list[CompanyReport], rejected: Sequence[Rejection] = (), run_id: str = "run-1") -> IndexPage:
    """The whole index of reports, counted and ordered as a store does."""
    lines = sorted(((listed(report), report) for report in reports), key=lambda each: each[0].place)
    overview = RunOverview(groups=count_groups(line for line, _ in lines), rejected=len(rejected))
    ordered = [report for _, report in lines]
    return IndexPage(run_id, ordered, overview, rejected, per_page=1000, found=len(reports))


def test_the_index_puts_the_worst_first(case: Any) -> None:
    """Companies are ordered by gauge, those not judged stand last with their reason, and each has its link."""

    def other(name: str, value: int | None) -> CompanyReport:
        gauge = case.report.gauge.model_copy(update={"value": value}) if value else None
        company = Company(id=name, name=name, domain=f"{name}.example:8080", url=f"https://{name}.example:8080/")
        status = SiteStatus.READ if value else SiteStatus.PARKED
        return case.report.model_copy(
            update={"company": company, "gauge": gauge, "status": status, "reason": "" if value else "for sale"}
        )

    reports = [other("fine", 90), other("none", None), other("worst", 3), other("middle", 50)]
    page = render_index(index_of(reports, [Rejection(line=7, reason="no domain")]))
    assert_harmless(page)
    soup = BeautifulSoup(page, "lxml")
    names = [link.get_text() for link in soup.select("a.name")]
    assert names == ["worst", "middle", "fine", "none"]
    assert soup.select_one("a.name")["href"] == "worst.example_8080.html" == page_name(reports[2].company)
    assert "for sale" in page
    assert "no domain" in page
    filters = {label.get_text() for label in soup.select(".filters label")}
    assert {"all", "not judged 1", "parked 1", "read 3"} <= filters


def test_a_page_of_the_index_leads_to_its_neighbours(case: Any) -> None:
    """A long list has links both ways and says what is shown; refused lines stand on the first page alone."""
    whole = index_of([case.report], [Rejection(line=7, reason="no domain")])
    middle = replace(whole, number=2, pages=3, per_page=1, found=3)
    soup = BeautifulSoup(render_index(middle), "lxml")
    assert {link["rel"][0]: link["href"] for link in soup.select("nav a")} == {
        "prev": "index.html",
        "next": "index-3.html",
    }
    assert "2 to 2 of 3" in soup.get_text()
    assert "no domain" not in soup.get_text()
    assert soup.select("form") == []
    first = BeautifulSoup(render_index(replace(middle, number=1)), "lxml")
    assert [link["href"] for link in first.select("nav a[rel]")] == ["index-2.html"] * 2
    assert "no domain" in first.get_text()


def test_what_is_sought_stays_in_the_form(case: Any) -> None:
    """The form of a server's index shows what was asked for, escaped, and how many were found."""
    wanted = Wanted(text='"><script>', status=str(case.report.status), code="hiring")
    page = replace(index_of([case.report, case.report]), reports=[], wanted=wanted, found=0)
    html = render_index(page, IndexLinks(searchable=True))
    assert_harmless(html)
    soup = BeautifulSoup(html, "lxml")
    assert soup.select_one("input[name=q]")["value"] == '"><script>'
    assert [each["value"] for each in soup.select("option[selected]")] == [case.report.status, "hiring"]
    assert "0 found" in soup.get_text()
    assert soup.select("table.companies") == []


def test_an_empty_run_has_an_index() -> None:
    """A run without scored companies says so."""
    assert "no scored company yet" in render_index(index_of([]))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example/",
        "https://user:secret@a.example/",
        "https://a.example/ x",
        'https://a.example/"x',
        "https://",
        "http://[",
        "\x01https://a.example/",
        "",
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    """What is not clearly http(s) is shown as text."""
    assert safe_href(url) == ""


@given(st.integers(1, 100))
def test_the_needle_lies_in_the_marked_segment(value: int) -> None:
    """One fifth of the dial is marked, the one of the value."""
    dial = draw_dial(value)
    assert [segment.tone for segment in dial.segments if segment.current] == [tone_of(value)]
    assert all(0 <= number <= 240 for number in dial.needle)
