"""What a list may call a domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_signals.intake.address import Address, BadAddressError, parse_address


@pytest.mark.parametrize(
    ("text", "domain", "url"),
    [
        ("acme.example", "acme.example", "https://acme.example/"),
        ("WWW.ACME.Example.", "acme.example", "https://www.acme.example/"),
        ("http://acme.example", "acme.example", "http://acme.example/"),
        ("HTTPS://www.acme.example/start?a=1#top", "acme.example", "https://www.acme.example/start?a=1"),
        ("//acme.example/x", "acme.example", "https://acme.example/x"),
        ("acme.example:8080", "acme.example:8080", "https://acme.example:8080/"),
        ("http://acme.example:80/", "acme.example", "http://acme.example/"),
        ("https://acme.example:443", "acme.example", "https://acme.example/"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", "http://127.0.0.1:8000/"),
        ("http://[::1]:8000/", "[::1]:8000", "http://[::1]:8000/"),
        ("localhost:5000", "localhost:5000", "https://localhost:5000/"),
        ("müller-söhne.example", "xn--mller-shne-kcb9d.example", "https://xn--mller-shne-kcb9d.example/"),
        ("straße.example", "xn--strae-oqa.example", "https://xn--strae-oqa.example/"),
        ("www.example", "www.example", "https://www.example/"),
        ("acme.example/über uns".replace(" ", "-"), "acme.example", "https://acme.example/%C3%BCber-uns"),
    ],
)
def test_addresses_are_brought_to_one_form(text: str, domain: str, url: str) -> None:
    """A domain or URL in any common spelling becomes one host and one start address."""
    assert parse_address(text) == Address(domain, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "not a domain",
        "acme",
        "-acme.example",
        "acme..example",
        "a" * 64 + ".example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "mailto:info@acme.example",
        "ftp://acme.example/",
        "https://user:secret@acme.example/",
        "secret@acme.example",
        "https://acme.example:99999/",
        "https://acme.example:0/",
        "https:///path",
        "a.xn--zz",
        "2130706433",
        "0x7f.1",
        "127.1",
        "http://[::1",
        "http://acme.example\\@evil.example/",
        "acme.example\x00",
        "x" * 3000 + ".example",
        "\u202eelpmaxe.emca",
    ],
)
def test_addresses_that_cannot_be_crawled_are_refused(text: str) -> None:
    """Hostile, malformed and over-long addresses are refused, and the reason never repeats a password."""
    with pytest.raises(BadAddressError) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """No text raises anything but a refusal, and what is accepted is stable when read again."""
    try:
        first = parse_address(text)
    except BadAddressError:
        return
    assert parse_address(first.url) == first
    assert first.url.isascii()
