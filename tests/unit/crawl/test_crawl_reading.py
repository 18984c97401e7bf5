"""Charsets, pages, robots.txt and sitemaps from hostile servers."""

from __future__ import annotations

import gzip
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.crawl.bodies import BoundedDecoder
from credit_signals.crawl.charsets import decode_text
from credit_signals.crawl.fetcher import retry_after, split_content_type
from credit_signals.crawl.pages import parse_page
from credit_signals.crawl.robots import parse_robots, read_robots
from credit_signals.crawl.sitemaps import MAX_URLS, parse_sitemap
from credit_signals.domain import Fetch, FetchStatus, now
from credit_signals.errors import FetchError

ROBOTS = Path(__file__).parents[4] / "shared/data/robots_txt"
GERMAN = "Geschäftsführerin Jörg Müller, Straße, Größe, täglich geöffnet für Sie"


def fetch(**values: object) -> Fetch:
    """An outcome for https://acme.example/a/."""
    url = "https://acme.example/a/"
    defaults: dict[str, object] = {
        "company_id": "c", "url": url, "final_url": url, "status": FetchStatus.OK, "content_type": "text/html",
        "fetched_at": now(),
    }  # fmt: skip
    return Fetch.model_validate(defaults | values)


@pytest.mark.parametrize(
    ("body", "header", "charset"),
    [
        (GERMAN.encode(), "text/html; charset=utf-8", "utf-8"),
        (GERMAN.encode(), "text/html; charset=iso-8859-1", "utf-8"),
        (GERMAN.encode("cp1252"), "text/html; charset=utf-8", "cp1252"),
        (GERMAN.encode("cp1252"), "text/html", "cp1252"),
        (GERMAN.encode("cp1252"), "text/html; charset=latin1", "cp1252"),
        (b"\xef\xbb\xbf" + GERMAN.encode(), "text/html; charset=latin1", "utf-8"),
        (GERMAN.encode("utf-16"), "text/html", "utf-16-le"),
        (b"<meta charset=iso-8859-15>" + GERMAN.encode("iso-8859-15"), "", "iso8859-15"),
    ],
)
def test_charsets(body: bytes, header: str, charset: str) -> None:
    """The text survives a right, wrong or missing declaration."""
    text, used = decode_text(body, header)
    assert text.endswith(GERMAN)
    assert charset in {used, "cp1252"}  # a detector may name another charset that reads the same


@pytest.mark.parametrize("charset", ["utf-7", "zip", "rot13", "punycode", "no-such", "utf-16", "hex"])
def test_odd_declared_charsets(charset: str) -> None:
    """Charsets that no page is written in do not garble or break plain text."""
    assert decode_text(b"<p>plain", f"text/html; charset={charset}")[0] == "<p>plain"


@given(st.binary(max_size=400), st.text(max_size=20))
def test_any_bytes_decode(body: bytes, charset: str) -> None:
    """No body breaks the decoding or the parsing of a page."""
    decode_text(body, f"text/html; charset={charset}")
    parse_page(fetch(charset=charset), body)


def test_page() -> None:
    """Title, language, links with base, labels and rel are read from broken markup."""
    body = b"""<html lang="de-AT"><base href="/b/"><title>A &amp; B</title><body>
      <a href="x?utm_source=1">  Mehr <b>lesen</a><a href="y" rel="NoFollow noopener"><img alt="Bild"></a>
      <a href="mailto:a@b.c">m</a><a href="#top">t</a><area href="z"><iframe src="//f.example/w"></iframe>
      <a href="x">again"""
    page = parse_page(fetch(), body)
    assert (page.title, page.language, page.follow) == ("A & B", "de-AT", True)
    assert [(link.url, link.anchor, link.rel) for link in page.links] == [
        ("https://acme.example/b/x", "Mehr lesen", ""),
        ("https://acme.example/b/y", "Bild", "nofollow noopener"),
        ("https://acme.example/b/z", "", ""),
        ("https://f.example/w", "", ""),
        ("https://acme.example/b/x", "again", ""),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"<!-- only -->", b"<div>" * 100_000, b"<a href=x>" * 50_000, b"\x00" * 100, b"<?xml version='1.0'?>"]
)
def test_hostile_markup(body: bytes) -> None:
    """Empty, deep, wide and binary markup costs little and gives a page."""
    started = time.monotonic()
    page = parse_page(fetch(), body)
    assert len(page.links) <= 2000
    assert time.monotonic() - started < 10


def test_meta_nofollow() -> None:
    """A page can ask robots to ignore its links."""
    assert not parse_page(fetch(), b"<META NAME=Robots CONTENT='noindex, NOFOLLOW'><p>x").follow


@given(st.lists(st.binary(max_size=50), max_size=10), st.sampled_from(["", "gzip", "deflate"]))
def test_decoder_never_breaks(pieces: list[bytes], encoding: str) -> None:
    """Any bytes end decoded or refused, never beyond the limit."""
    decoder = BoundedDecoder("u", encoding, 60, truncate=True)
    with suppress(FetchError):
        for piece in pieces:
            decoder.feed(piece)
    assert len(decoder.decoded) <= 60


@pytest.mark.parametrize(
    ("status", "http_status", "allowed"),
    [
        ("http_error", 404, True), ("http_error", 403, True), ("http_error", 401, True), ("http_error", 410, True),
        ("http_error", 429, False), ("http_error", 503, False), ("timeout", None, False),
        ("connect_error", None, False),
        ("redirect_loop", 301, True), ("ok", 200, True),
    ],
)  # fmt: skip
def test_robots_by_outcome(status: str, http_status: int | None, allowed: bool) -> None:
    """RFC 9309, 2.3.1: unavailable allows, unreachable disallows."""
    rules = read_robots(fetch(status=status, http_status=http_status), b"", "credit-signals")
    assert rules.allows("https://acme.example/") is allowed


def test_robots_groups() -> None:
    """Our own group outweighs the general one; delay and sitemaps are read; the longest match wins."""
    own = b"User-agent: Credit-Signals\nDisallow: /a\nAllow: /a/b\nCrawl-delay: 3\n\nSitemap: /s.xml"
    body = b"User-agent: *\nDisallow: /\n\n" + own
    rules = read_robots(fetch(), body, "credit-signals")
    assert rules.allows("https://acme.example/")
    assert not rules.allows("https://acme.example/a")
    assert rules.allows("https://acme.example/a/b")
    assert (rules.delay, rules.sitemaps) == (3.0, ["/s.xml"])


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><html><body>Not found</body></html>", b"\xff\xfe\x00\x01", b"\x00" * 1000]
)
def test_robots_rubbish(body: bytes) -> None:
    """Rubbish instead of rules allows all."""
    assert read_robots(fetch(), body, "credit-signals").allows("https://acme.example/x")


def test_robots_beyond_500_kib() -> None:
    """Only the first 500 KiB are parsed."""
    body = b"User-agent: *\n" + b"# filler\n" * 60_000 + b"Disallow: /\n"
    assert read_robots(fetch(), body, "credit-signals").allows("https://acme.example/")


@pytest.mark.skipif(not ROBOTS.exists(), reason="the real robots.txt files are not on this machine")
def test_real_robots_files() -> None:
    """A thousand real files, garbage included, are parsed and asked without an error."""
    started = time.monotonic()
    for path in sorted(ROBOTS.iterdir()):
        rules = parse_robots(path.read_bytes())
        rules.can_fetch("https://acme.example/about?x=1", "credit-signals")
        rules.crawl_delay("credit-signals")
    assert time.monotonic() - started < 120


@given(st.binary(max_size=300))
def test_any_robots(body: bytes) -> None:
    """No robots.txt breaks the crawl."""
    rules = read_robots(fetch(), body, "credit-signals")
    rules.allows("https://acme.example/x")
    assert rules.delay >= 0
    assert isinstance(rules.sitemaps, list)


def urlset(*urls: str, tag: str = "url") -> bytes:
    """A sitemap or an index."""
    outer = {"url": "urlset", "sitemap": "sitemapindex"}[tag]
    inner = "".join(f"<{tag}><loc> {url} </loc></{tag}>" for url in urls)
    return (
        f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inner}</{outer}>'.encode()
    )


def test_sitemaps() -> None:
    """Sets, indexes, gzip and plain text are read."""
    assert parse_sitemap("u", urlset("http://a/1", "http://a/2"), 10**6).pages == ("http://a/1", "http://a/2")
    assert parse_sitemap("u", urlset("http://a/m", tag="sitemap"), 10**6).nested == ("http://a/m",)
    assert parse_sitemap("u", gzip.compress(urlset("http://a/1")), 10**6).pages == ("http://a/1",)
    assert parse_sitemap("u", b"http://a/1\nnope\nhttp://a/2\n", 10**6).pages == ("http://a/1", "http://a/2")


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><url><loc>&a;</loc></url></urlset>',
        b'<!DOCTYPE l [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
        gzip.compress(bytes(50_000_000)),
        b"\x1f\x8bbroken",
        b"<html><body>Not found</body></html>",
        b"<",
        b"",
    ],
)
def test_hostile_sitemaps(body: bytes) -> None:
    """Entities, bombs and rubbish give nothing."""
    found = parse_sitemap("u", body, 1_000_000)
    assert (found.pages, found.nested) == ((), ())


def test_sitemap_bounds() -> None:
    """Huge and cut sitemaps give what they hold, up to the bound."""
    body = urlset(*(f"http://a/{n}" for n in range(50_000)))
    assert len(parse_sitemap("u", body, 10**7).pages) == MAX_URLS
    assert parse_sitemap("u", urlset("http://a/1", "http://a/2")[:-40], 10**6).pages[0] == "http://a/1"


@pytest.mark.parametrize(("value", "seconds"), [("5", 5.0), ("", None), ("soon", None), ("-1", None), ("²", None)])
def test_retry_after(value: str, seconds: float | None) -> None:
    """Only a number or a date counts."""
    assert retry_after(value) == seconds


def test_content_type() -> None:
    """Media type and charset are taken from sloppy headers."""
    assert split_content_type('Text/HTML; x=y; Charset="ISO-8859-1"') == ("text/html", "iso-8859-1")
    assert split_content_type("") == ("", "")
