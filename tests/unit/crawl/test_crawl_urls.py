"""Canonical URLs, sites and traps."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.crawl.urls import (
    Site,
    canonical_url,
    folder_of_index,
    is_page_url,
    is_trap,
    registrable_domain,
)

BASE = "https://www.acme.example/a/b.html"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("../c", "https://www.acme.example/c"),
        ("//Other.Example:443/X#y", "https://other.example/X"),
        ("http://acme.example:80", "http://acme.example/"),
        ("http://acme.example:8080/", "http://acme.example:8080/"),
        ("?b=2&a=1&utm_source=n&gclid=1&fbclid=2", "https://www.acme.example/a/b.html?a=1&b=2"),
        ("/x;jsessionid=0A1B?PHPSESSID=abc", "https://www.acme.example/x"),
        ("/x?sid=0123456789abcdef0123", "https://www.acme.example/x"),
        ("/x?sid=7&ref=9&cid=3", "https://www.acme.example/x?cid=3&ref=9&sid=7"),
        ("/über uns", "https://www.acme.example/%C3%BCber%20uns"),
        ("/%c3%bcber", "https://www.acme.example/%C3%BCber"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        (" /x\n", "https://www.acme.example/x"),
        ("https://acme.example./", "https://acme.example/"),
        ("mailto:a@b.c", None),
        ("javascript:void(0)", None),
        ("data:text/html,x", None),
        ("ftp://acme.example/", None),
        ("https://user:pw@acme.example/", None),
        ("https://user@acme.example/", None),
        ("http://[::1", None),
        ("http://acme.example:99999/", None),
        ("//\x80/", None),
        ("http://[fe80::1%25eth0]/", None),
        ("/" + "x" * 5000, None),
    ],
)
def test_canonical(raw: str, expected: str | None) -> None:
    """Each URL has one form; what must not be requested has none."""
    assert canonical_url(raw, BASE) == expected


TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


ABSOLUTE = st.builds("http://acme.example/{}?{}#{}".format, TEXT, TEXT, TEXT)


@given(TEXT | ABSOLUTE | st.builds("//{}/{}".format, TEXT, TEXT))
def test_canonical_is_stable(raw: str) -> None:
    """Any input gives None or a URL whose canonical form is itself, http(s) only and without credentials."""
    url = canonical_url(raw, BASE)
    if url is not None:
        assert canonical_url(url) == url
        parts = urlsplit(url)
        assert parts.scheme in {"http", "https"}
        assert "@" not in parts.netloc
        assert not parts.fragment
        assert url.isascii()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.acme.co.uk", "acme.co.uk"),
        ("shop.acme.de", "acme.de"),
        ("alice.github.io", "alice.github.io"),
        ("jobs.acme.example", "acme.example"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("a.localhost", "a.localhost"),
        ("localhost", "localhost"),
    ],
)
def test_registrable_domain(host: str, expected: str) -> None:
    """One owner's hosts share a domain; customers of one hosting company do not."""
    assert registrable_domain(host) == expected


@pytest.mark.parametrize(
    ("home", "url", "held"),
    [
        ("https://acme.de/", "http://www.acme.de/x", True),
        ("https://acme.de/", "https://jobs.acme.de/x", True),
        ("https://acme.de/", "https://acme.com/", False),
        ("https://acme.de/", "https://evilacme.de/", False),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/x", True),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:9000/x", False),
        ("http://a.localhost/", "http://b.localhost/", False),
        ("http://acme.de:8000/", "http://www.acme.de:8000/", False),
    ],
)
def test_site_holds(home: str, url: str, held: bool) -> None:
    """A site is its registrable domain at its port."""
    assert Site(home).holds(url) is held


def test_site_adopts_its_own_forms() -> None:
    """http, https, www and bare host are one; other subdomains stay."""
    site = Site("https://www.acme.de/")
    assert site.adopt("http://acme.de/x?a=1") == "https://www.acme.de/x?a=1"
    assert site.adopt("https://jobs.acme.de/x") == "https://jobs.acme.de/x"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.de/x/x/x", "https://a.de/a/b/a/b", "https://a.de/calendar/2031-05", "https://a.de/?month=5",
        "https://a.de/1/2/3/4/5/6/7/8/9", "https://a.de/?a=1&b=2&c=3&d=4&e=5",
    ],
)  # fmt: skip
def test_traps(url: str) -> None:
    """Generated URLs are recognised."""
    assert is_trap(url)


@pytest.mark.parametrize("url", ["https://a.de/news/2024/05/12/we-grow", "https://a.de/products/a?id=3"])
def test_no_traps(url: str) -> None:
    """Dated news and product parameters are ordinary."""
    assert not is_trap(url)


def test_page_urls() -> None:
    """Downloads and shop machinery are no pages."""
    assert is_page_url("https://a.de/x.html")
    assert is_page_url("https://a.de/ueber.php?id=1")
    assert not is_page_url("https://a.de/x.PDF")
    assert not is_page_url("https://a.de/wp-login.php")
    assert not is_page_url("https://a.de/cart/")
    assert folder_of_index("https://a.de/x/index.html") == "https://a.de/x/"
    assert folder_of_index("https://a.de/x/index.html?a=1") is None
