"""From what a list calls a domain or URL to a host that can be crawled.

Hosts are lower case and in IDNA 2008 (UTS 46) form. Reasons never repeat the address: it may hold a password.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

import idna

MAX_URL = 2048
MAX_HOST = 253  # RFC 1035
_SCHEME = re.compile(r"^([a-z][a-z0-9+.\-]*):(?!\d{1,5}(?:[/?#]|$))", re.IGNORECASE)
_LABEL = re.compile(r"^(?!-)[a-z0-9_\-]{1,63}(?<!-)$")
_NUMERIC = re.compile(r"^(?:\d+|0x[0-9a-f]*)$")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class BadAddressError(ValueError):
    """The text is no address that can be crawled; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place to crawl. `domain` identifies the company's site: no `www.`, `:port` only if not the default."""

    domain: str
    url: str


def parse_address(text: str) -> Address:
    """Read a domain (`acme.example`) or an http(s) URL. Raises BadAddressError with a reason."""
    text = text.strip()
    _refuse_hostile(text)
    parts = _split(text)
    host = _host(parts.hostname or "")
    port = _port(parts)
    suffix = "" if port is None else f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?[]')}" if parts.query else ""
    return Address(_without_www(host) + suffix, f"{parts.scheme}://{host}{suffix}{path}{query}")


def same_site(domain: str, other: str) -> bool:
    """Whether one host is the other or a subdomain of it."""
    return domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}")


def _refuse_hostile(text: str) -> None:
    if not text:
        raise BadAddressError("no domain")
    if len(text) > MAX_URL:
        raise BadAddressError(f"address longer than {MAX_URL} characters")
    if "\\" in text or any(character.isspace() or not character.isprintable() for character in text):
        raise BadAddressError("address holds spaces, backslashes or control characters")
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in _DEFAULT_PORTS:
        raise BadAddressError("address is neither http nor https")


def _split(text: str) -> SplitResult:
    if text.startswith("//"):
        text = f"https:{text}"
    elif not _SCHEME.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
    except ValueError as exc:
        raise BadAddressError("malformed address") from exc
    if "@" in parts.netloc:
        raise BadAddressError("address holds a user name or password")
    if not parts.netloc:
        raise BadAddressError("address without a host")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError as exc:
        raise BadAddressError("bad port") from exc
    if port == 0:
        raise BadAddressError("bad port")
    return None if port == _DEFAULT_PORTS[parts.scheme] else port


def _host(host: str) -> str:
    if ":" in host:
        return _ip6(host)
    host = host.lower() if host.isascii() else _punycode(host)
    host = host.rstrip(".")
    labels = host.split(".")
    if _NUMERIC.match(labels[-1]):
        return _ip4(host)
    if len(host) > MAX_HOST or not all(_LABEL.match(label) for label in labels):
        raise BadAddressError("not a domain")
    if "." not in host and host != "localhost":
        raise BadAddressError("not a domain: no dot")
    _refuse_bad_punycode(labels)
    return host


def _punycode(host: str) -> str:
    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as exc:
        raise BadAddressError("not a domain: letters that IDNA does not allow") from exc


def _refuse_bad_punycode(labels: list[str]) -> None:
    # only the coding is checked: names that older rules allowed, such as emoji domains, do exist
    try:
        for label in labels:
            if label.startswith("xn--"):
                label[4:].encode("ascii").decode("punycode")
    except UnicodeError as exc:
        raise BadAddressError("not a domain: malformed IDNA label") from exc


def _ip4(host: str) -> str:
    # WHATWG: a host whose last label is a number is an IPv4 address; odd spellings (octal, one integer) are refused
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError as exc:
        raise BadAddressError("not a domain: malformed IP address") from exc


def _ip6(host: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(host)}]"
    except ValueError as exc:
        raise BadAddressError("not a domain: malformed IP address") from exc


def _without_www(host: str) -> str:
    rest = host.removeprefix("www.")
    return rest if "." in rest else host
