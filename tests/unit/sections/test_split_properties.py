"""What holds for any HTML."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credit_signals.domain import Page, PageRole, now
from credit_signals.sections import drop_repeats, find_site_facts, split_page

TAGS = ["p", "div", "li", "ul", "table", "tr", "td", "h1", "h3", "b", "a href=/x", "br", "nav", "footer", "dt", "dd"]
TAGS += ["noscript", "select", "option", "span style=display:none", "pre", "button", "script type=application/ld+json"]
MARKUP = st.lists(
    st.one_of(
        st.sampled_from(TAGS).map(lambda tag: f"<{tag}>"),
        st.sampled_from(TAGS).map(lambda tag: f"</{tag.split()[0]}>"),
        st.text(max_size=40),
        st.sampled_from(["One sentence. ", "Dr. Who? ", "HRB 1234 ", '{"@type":"Organization"', "&nbsp;", "a\u00adb"]),
    ),
    max_size=60,
).map("".join)


def pages(*htmls: str) -> list[Page]:
    """Pages of one site."""
    return [
        Page(
            id=str(number),
            company_id="c",
            url=f"https://f.example/{number}",
            html=html,
            depth=number,
            role=PageRole.IMPRINT,
            fetched_at=now(),
        )
        for number, html in enumerate(htmls)
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MARKUP)
def test_sentences_are_exact_ordered_and_disjoint(html: str) -> None:
    """Offsets point at stripped text, sentences follow each other, and between them is only white space."""
    for section in split_page(pages(html)[0]).sections:
        assert len(section.text) <= 1_500
        end = 0
        for number, sentence in enumerate(section.sentences, start=1):
            quote = section.text[sentence.start : sentence.end]
            assert sentence.number == number
            assert quote
            assert quote == quote.strip()
            assert section.text[end : sentence.start].strip() == ""
            assert sentence.start >= end
            end = sentence.end
        assert end == len(section.text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MARKUP, MARKUP)
def test_a_site_of_any_markup_is_read(first: str, second: str) -> None:
    """No markup raises anything; ids are unique; the order of the pages does not matter."""
    site = pages(first, second, first)
    sections, _ = drop_repeats([split_page(page) for page in site])
    backwards, _ = drop_repeats([split_page(page) for page in reversed(site)])
    assert len({section.id for section in sections}) == len(sections)
    assert {section.id for section in sections} == {section.id for section in backwards}
    find_site_facts(site, sections, "DE")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_a_page(text: str) -> None:
    """Plain text, whatever its characters, is read without an error."""
    split_page(pages(text)[0]).sections  # noqa: B018 - the sections are made when asked for
