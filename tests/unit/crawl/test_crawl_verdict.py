"""Verdicts on sites and their faults."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from credit_signals.crawl import judge_site, site_faults
from credit_signals.crawl.faults import newest_copyright_year
from credit_signals.domain import Company, Fetch, FetchStatus, Page, PageRole, SiteStatus

AT = datetime(2026, 6, 1, tzinfo=UTC)
ACME = Company(id="c", name="Acme", domain="acme.example", url="https://acme.example/")


def page(html: str, path: str = "", role: PageRole = PageRole.HOME, title: str = "") -> Page:
    """A page of the company."""
    url = f"https://acme.example/{path}"
    depth = 1 if path else 0
    return Page(id=url, company_id="c", url=url, html=html, depth=depth, role=role, title=title, fetched_at=AT)


def fetch(path: str = "", status: str = "ok", http_status: int | None = 200, reason: str = "") -> Fetch:
    """An outcome of the company's site."""
    url = f"https://acme.example/{path}"
    return Fetch(
        company_id="c",
        url=url,
        final_url=url,
        status=FetchStatus(status),
        http_status=http_status,
        reason=reason,
        fetched_at=AT,
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("dns_error", "unreachable"), ("connect_error", "unreachable"), ("tls_error", "unreachable"),
        ("timeout", "unreachable"), ("redirected_away", "unreachable"), ("budget_spent", "unreachable"),
        ("robots_denied", "robots_refused"), ("blocked_address", "blocked_address"), ("redirect_loop", "redirect_loop"),
        ("http_error", "http_error"), ("too_large", "empty"), ("unsupported_type", "empty"), ("bad_content", "empty"),
    ],
)  # fmt: skip
def test_without_pages(status: str, expected: str) -> None:
    """The home page's outcome tells what became of a site without pages, with a reason."""
    verdict, reason = judge_site(ACME, [fetch(status=status, http_status=None, reason="why")], [])
    assert verdict == expected
    assert reason


PARKED = [
    "The domain acme.example is for sale. Buy this domain.",
    "Diese Domain steht zum Verkauf",
    "Diese Domain acme.example können Sie hier kaufen",
    "Ce domaine est à vendre",
    "Este dominio está en venta",
    "Questo dominio è in vendita",
    "This Web page is parked FREE, courtesy of a registrar",
    "Hier entsteht eine neue Internetpräsenz",
    "This domain has expired",
]


@pytest.mark.parametrize("text", PARKED)
def test_parked(text: str) -> None:
    """Dealers' and registrars' pages are told in five languages."""
    pages = [page(f"<h1>acme.example</h1><p>{text}</p>")]
    assert judge_site(ACME, [fetch()], pages)[0] is SiteStatus.PARKED
    assert [fact.key for fact in site_faults(ACME, [fetch()], pages)] == ["parked"]


@pytest.mark.parametrize(
    "html",
    [
        "<p>Our premises are for sale. We park cars and buy used machines in this domain of trade.</p>",
        "<p>We sell domains and hosting. Find the domain you need.</p>",
        f"<p>{'We are a broker and this domain is for sale. ' * 100}</p>",
    ],
)
def test_not_parked(html: str) -> None:
    """Ordinary pages that speak of domains or sales are read."""
    assert judge_site(ACME, [fetch()], [page(html)])[0] is SiteStatus.READ


def test_large_sites_are_not_parked() -> None:
    """A site of several pages is somebody's own, whatever a sentence says."""
    pages = [page("<p>This domain is for sale</p>"), *(page("<p>x</p>", f"p{n}") for n in range(5))]
    assert judge_site(ACME, [fetch()], pages)[0] is SiteStatus.READ


@pytest.mark.parametrize(
    "html",
    [
        "<title>Acme</title><div id=root></div><script src=/app.js></script>",
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id=app></div><script>x()</script>",
        "<app-root></app-root><script src=main.js></script>",
        "<noscript>Bitte aktivieren Sie JavaScript</noscript><div class=x></div><script>x()</script>",
    ],
)
def test_javascript_only(html: str) -> None:
    """Pages whose text only scripts would make are told."""
    assert judge_site(ACME, [fetch()], [page(html)])[0] is SiteStatus.JAVASCRIPT_ONLY


@pytest.mark.parametrize(
    "html",
    [
        f"<div id=root><p>{'Rendered on the server. ' * 20}</p></div><script></script>",
        f"<p>{'Readable text. ' * 30}</p><noscript>Enable JavaScript</noscript><script></script>",
        "<p>Small but readable.</p><script>count()</script>",
    ],
)
def test_not_javascript_only(html: str) -> None:
    """Rendered and small pages with scripts are read."""
    assert judge_site(ACME, [fetch()], [page(html)])[0] is SiteStatus.READ


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("© 2019 Acme", 2019), ("Copyright 2015-2021 Acme", 2021), ("(c) Acme Ltd 2018", 2018), ("2012 © Acme", 2012),
        ("© 2017–19 Acme", 2019), ("Founded 1990. All rights reserved.", 0), ("© 2050 Acme", 0), ("", 0),
    ],
)  # fmt: skip
def test_copyright_year(text: str, year: int) -> None:
    """The newest year beside a copyright sign counts, future years do not."""
    assert newest_copyright_year(text, 2026) == year


def test_stale_copyright() -> None:
    """A year three years back on the whole site is stale; one fresh page is enough against it."""
    old = page("<p>x</p><footer>&copy; 2019 Acme</footer>")
    assert [(fact.key, fact.value) for fact in site_faults(ACME, [fetch()], [old])] == [("stale_copyright", "2019")]
    fresh = page("<footer>© 2025</footer>", "about")
    assert site_faults(ACME, [fetch()], [old, fresh]) == []
    scripted = page("<script>var c = '© 2010'</script><p>text</p>")
    assert site_faults(ACME, [fetch()], [scripted]) == []


def test_vanished_and_tls() -> None:
    """Telling pages that are gone and failed handshakes are facts; other losses are not."""
    before = [fetch("team"), fetch("news"), fetch("products"), fetch("jobs", "http_error", 404)]
    after = [
        fetch(),
        fetch("team", "http_error", 404, "answers 404"),
        fetch("news", "http_error", 500),
        fetch("products", "http_error", 404),
        fetch("jobs", "http_error", 404),
        fetch("robots.txt", "tls_error", None, "certificate refused: expired"),
    ]
    facts = site_faults(ACME, after, [page("<p>x</p>")], before)
    assert [(fact.key, fact.url.rpartition("/")[2]) for fact in facts] == [
        ("tls_failure", "robots.txt"),
        ("vanished_page", "team"),
    ]


def test_unreachable_is_a_fact() -> None:
    """A dead host is a fact with its reason."""
    facts = site_faults(ACME, [fetch(status="dns_error", http_status=None, reason="the name has no address")], [])
    assert [(fact.key, fact.value) for fact in facts] == [("unreachable", "no address: the name has no address")]
