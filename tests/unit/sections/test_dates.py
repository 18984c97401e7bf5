"""Dates of publication: found where a page states them, never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit_signals.domain import Page, PageRole, Section
from credit_signals.sections import drop_repeats, find_site_facts, split_page
from credit_signals.sections.dates.written import date_of_attribute, date_of_text

TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, tzinfo=UTC)


def page(html: str, role: PageRole = PageRole.NEWS, path: str = "news", lang: str = "en") -> Page:
    """A page, by default of news."""
    url = f"https://firm.example/{path}"
    return Page(id=url, company_id="c", url=url, html=html, depth=1, role=role, html_lang=lang, fetched_at=AT)


def dated(html: str, role: PageRole = PageRole.NEWS, path: str = "news") -> list[tuple[str, str]]:
    """Date and last line of each section."""
    return [(each.published, each.text.split("\n")[-1]) for each in split_page(page(html, role, path)).sections]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("12 May 2026", "2026-05-12"),
        ("Tuesday, 3 March 2026 We won a prize", "2026-03-03"),
        ("September 4, 2026", "2026-09-04"),
        ("Sept. 2026", "2026-09"),
        ("By Jo Lind, March 3, 2026 The invoice", "2026-03-03"),
        ("Posted on 23rd November 2024 by admin", "2024-11-23"),
        ("News | 1 July 2026", "2026-07-01"),
        ("3. März 2026", "2026-03-03"),
        ("Veröffentlicht am 10. Juni 2026 Geht ein Hersteller", "2026-06-10"),
        ("Jänner 2026", "2026-01"),
        ("12.05.2026: Neue Halle", "2026-05-12"),
        ("Publié le 1er février 2026", "2026-02-01"),
        ("Août 2026", "2026-08"),
        ("4 settembre 2026", "2026-09-04"),
        ("12 de mayo de 2026", "2026-05-12"),
        ("2026-05-12 Release", "2026-05-12"),
        ("25/12/2025", "2025-12-25"),
    ],
)
def test_dates_in_five_languages(text: str, iso: str) -> None:
    """A text that opens with a date, however written, is dated to the day or the month it names."""
    found = date_of_text(text, TODAY, "en")
    assert found is not None
    assert found.iso == iso


@pytest.mark.parametrize(
    "text",
    [
        "In 1911 four hundred dyers walked out",
        "2026",
        "From 11 January 2027 you will find us at the station",
        "11 January 2027",  # to come
        "31 February 2026",
        "31.02.2020",
        "2019-13-01",
        "12 May 1912",  # before the web
        "Spring 2026",
        "Version 2026",
        "12 May 2026 to 20 May 2026",
        "3/4/2026",  # March or April
        "We were founded on 12 May 2006 by two sisters.",
        "Tel. 01632 960114",
    ],
)
def test_what_is_no_date_of_publication(text: str) -> None:
    """Years alone, dates to come, spans, impossible and ambiguous dates and dates inside prose date nothing."""
    assert date_of_text(text, TODAY, "en") is None


def test_the_country_says_which_number_is_the_month() -> None:
    """Americans write the month first; others do not."""
    american, british = (date_of_text("3/4/2026", TODAY, language) for language in ("en-US", "en-GB"))
    assert (american and american.iso, british and british.iso) == ("2026-03-04", "2026-04-03")


def test_headings_are_dates() -> None:
    """A date as a heading dates what stands under it, up to the next such heading; the rest stays undated."""
    found = dated(
        "<h1>News</h1><h2>May 2026</h2><p>We hired twelve fitters this spring, and all of them have stayed.</p>"
        "<h2>3 March 2026</h2><p>A fire destroyed the paint shop.</p><h2>Visit us</h2><p>The shop is open daily.</p>"
    )
    assert found == [
        ("2026-05", "We hired twelve fitters this spring, and all of them have stayed."),
        ("2026-03-03", "A fire destroyed the paint shop."),
        ("", "The shop is open daily."),
    ]


@pytest.mark.parametrize(
    "post", ["<h2>{title}</h2><p>{day}</p><p>{text}</p>", "<p>{day}</p><h2>{title}</h2><p>{text}</p>"]
)
def test_dates_above_or_below_titles(post: str) -> None:
    """A bare date belongs to its post, whether it stands over or under the title."""
    posts = [("A fire", "3 March 2026", "It destroyed the paint shop."), ("A prize", "1 June 2024", "We won it.")]
    html = "<h1>News</h1>" + "".join(post.format(title=a, day=b, text=c) for a, b, c in posts)
    found = {text: day for day, text in dated(html)}
    assert {text: day for text, day in found.items() if "20" not in text} == {
        "It destroyed the paint shop.": "2026-03-03",
        "We won it.": "2024-06-01",
    }


def test_posts_in_a_list_without_titles() -> None:
    """Each dated entry of a list is a section of its own, and what follows the list is not dated."""
    found = dated(
        "<h1>News</h1><dl><dt>12 October 2026</dt><dd>The family has sold its shares.</dd><dt>30 July 2026</dt>"
        "<dd>Thieves set fire to the office.</dd></dl><h2>Opening hours</h2><p>Daily from nine.</p>"
    )
    assert [day for day, _ in found] == ["2026-10-12", "2026-07-30", ""]


def test_a_time_element_says_the_day() -> None:
    """What a machine is told counts where people read only a day and a month."""
    html = '<article><h2>A fire</h2><time datetime="2025-03-03T09:00">3 March</time><p>It burned down.</p></article>'
    assert {day for day, _ in dated(html)} == {"2025-03-03"}
    hours = '<h2>Hours</h2><p><time datetime="09:00">9</time> to <time datetime="17:00">5</time></p>'
    assert {day for day, _ in dated(hours)} == {""}


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2024-02-29T10:00:00+00:00">',
        '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-02-29"}</script>',
    ],
)
def test_markup_dates_an_article(head: str) -> None:
    """Meta elements and JSON-LD date an article that shows no date, whatever the role of its page; not its footer."""
    html = (
        f"<html><head>{head}</head><body><h1>A fire</h1><p>It destroyed it.</p><footer>Firm Ltd</footer></body></html>"
    )
    assert [day for day, _ in dated(html, PageRole.OTHER, "fire")] == ["2024-02-29", ""]
    assert {day for day, _ in dated(html, PageRole.HOME, "")} == {""}


def test_addresses_date_an_article() -> None:
    """Many blogs put the day or the month into the address."""
    assert dated("<h1>A fire</h1><p>It destroyed it.</p>", PageRole.OTHER, "2024/05/12/fire")[0][0] == "2024-05-12"
    assert dated("<h1>A fire</h1><p>It destroyed it.</p>", PageRole.OTHER, "2024/05/fire")[0][0] == "2024-05"
    assert dated("<h1>A fire</h1><p>It destroyed it.</p>", PageRole.OTHER, "2029/05/fire")[0][0] == ""


def test_only_news_is_dated() -> None:
    """A date on any other page is no date of publication."""
    assert dated("<h2>12 May 2020</h2><p>The new hall was opened.</p>", PageRole.ABOUT)[0][0] == ""


def test_a_date_changes_no_hash() -> None:
    """A text whose date changes is not read again."""
    texts = [split_page(page(f'<p><time datetime="{day}">Now</time> A fire.</p>')).sections for day in DAYS]
    first, second = (each[0] for each in texts)
    assert (first.published, second.published) == DAYS
    assert first.content_hash == second.content_hash


def facts_of(html: str) -> list[tuple[str, str]]:
    """Keys and values of a news page's facts."""
    pages = [page(html)]
    sections: list[Section]
    sections, _ = drop_repeats([split_page(each) for each in pages])
    return [(fact.key, fact.value) for fact in find_site_facts(pages, sections, "GB")]


def test_stale_news() -> None:
    """News whose newest date is 18 months old is stale; one old notice is no news that ended."""
    assert facts_of("<h2>March 2019</h2><p>A fair.</p><h2>5 May 2025</h2><p>A prize.</p>") == [
        ("stale_news", "2025-05-05")
    ]
    assert facts_of("<h2>March 2019</h2><p>A fair.</p><h2>5 June 2025</h2><p>A prize.</p>") == []
    assert facts_of("<h2>March 2019</h2><p>A fair.</p>") == []


@settings(deadline=None)
@given(st.text(max_size=200), st.booleans())
def test_any_text_is_read(text: str, title: bool) -> None:
    """No text raises; what is found is a day or month that exists."""
    found = date_of_text(text, TODAY, "en", title=title)
    assert found is None or date_of_attribute(f"{found.iso}-01"[:10], TODAY)
    date_of_attribute(text, TODAY)


DAYS = ("2025-01-02", "2025-03-04")
