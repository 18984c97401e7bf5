"""Canonical URLs, what belongs to a site, and URLs that lead into traps."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from tldextract import TLDExtract
from w3lib.url import canonicalize_url, safe_url_string, url_query_cleaner

MAX_URL = 1000
DEFAULT_PORTS = {"http": 80, "https": 443}
TRACKING = re.compile(
    r"(?:utm|mtm|pk|piwik|matomo|hsa|oly|vero|itm)_.*|_(?:ga|gl|hsenc|hsmi|openstat|ke)|mc_[ce]id|mkt_tok|igshid|"
    r"(?:g|fb|msclk|y|dc|twc|ttc|gbra|wbra|li_fat_|sc|ysc)(?:clid|aid|_id|id)|gclsrc|"
    r"phpsessid|jsessionid|aspsessionid.*|cfid|cftoken|session_?id|oscsid|zenid|xtc?sid",
    re.IGNORECASE,
)
SHORT_SESSION_NAMES = {"sid", "s", "sess"}
SESSION_VALUE = re.compile(r"[0-9a-f]{16,}|[0-9a-z]{26,}", re.IGNORECASE)
PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.IGNORECASE)
INDEX_FILE = re.compile(r"/(?:index|default|home)\.(?:html?|php\d?|aspx?|jsp|shtml|cfm)$", re.IGNORECASE)
BINARY = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|od[tsp]|rtf|csv|jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|mp[34]|m4[av]|avi|mov|wmv|webm|"
    r"og[gv]|wav|flac|zip|rar|7z|t?gz|tar|bz2|xz|exe|msi|dmg|apk|iso|deb|rpm|css|m?js|json|map|woff2?|ttf|eot|otf|rss|"
    r"atom|ics|vcf|eps|ai|psd|dwg|dxf|stp|step|swf|xml)$",
    re.IGNORECASE,
)
MACHINERY = re.compile(
    r"/(?:wp-json|wp-admin|wp-login\.php|wp-content|xmlrpc\.php|cdn-cgi|cgi-bin|feed|trackback|cart|checkout|warenkorb|"
    r"panier|carrito|carrello|log-?in|log-?out|sign-?in|sign-?up|my-account|mein-konto|mon-compte)(?:/|$)|"
    r"[?&](?:replytocom|add-to-cart|share|print|action|do|sort|order|orderby|dir|filter\w*)=",
    re.IGNORECASE,
)
CALENDAR = re.compile(
    r"[?&](?:date|day|month|year|week|tribe[-_]bar[-_]date|ical|cal\w*)=|/(?:calend[ae]r|kalender|calendrier|calendario)/.*\d{4}",
    re.I,
)
HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,250}[a-z0-9_])?")
MAX_SEGMENTS = 8
MAX_PARAMETERS = 4
REPEATS = 3


def canonical_url(url: str, base: str = "") -> str | None:
    """The one form of an absolute http(s) URL, or None for what is not requested.

    Resolved against `base`; no fragment, default port, tracking or session parameter; host in lower-case punycode;
    percent-encoding and parameter order normalised (w3lib). URLs with user or password are refused.
    """
    joined = "".join(char for char in url.strip() if char not in "\t\r\n")  # as the URL Standard says
    if len(joined) > MAX_URL:
        return None
    try:
        joined = urljoin(base, joined) if base else joined
        parts = urlsplit(joined)
        if parts.scheme.lower() not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
            return None
        cleaned = _without_tracking(PATH_SESSION.sub("", joined))
        parts = urlsplit(canonicalize_url(cleaned))
        netloc = _netloc(parts.scheme, parts.hostname or "", parts.port)
    except (ValueError, UnicodeError):
        return None
    if netloc is None or "@" in parts.netloc:
        return None
    result = urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))
    return result if len(result) <= MAX_URL else None


def redirect_target(location: str, base: str) -> str | None:
    """The URL that a Location header leads to (RFC 9110, 10.2.2), or None for what is not requested.

    Parameters stay as they came: a site that redirects to a session of its own would else redirect in a circle.
    """
    try:
        parts = urlsplit(safe_url_string(urljoin(base, location.strip())))
        if parts.scheme not in DEFAULT_PORTS or "@" in parts.netloc:
            return None
        netloc = _netloc(parts.scheme, parts.hostname or "", parts.port)
    except (ValueError, UnicodeError):
        return None
    target = urlunsplit((parts.scheme, netloc or "", parts.path or "/", parts.query, ""))
    return target if netloc and len(target) <= MAX_URL else None


def _without_tracking(url: str) -> str:
    dropped = [
        name
        for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        if TRACKING.fullmatch(name) or (name.lower() in SHORT_SESSION_NAMES and SESSION_VALUE.fullmatch(value))
    ]
    return url_query_cleaner(url, dropped, remove=True, unique=False) if dropped else url


def _netloc(scheme: str, host: str, port: int | None) -> str | None:
    host = host.rstrip(".").lower()
    if "%" in host or not (HOST.fullmatch(host) or _is_address(host)):
        return None
    shown = f"[{host}]" if ":" in host else host
    return shown if port in {None, DEFAULT_PORTS[scheme]} else f"{shown}:{port}"


@cache
def _extractor() -> TLDExtract:
    # the bundled snapshot of the Public Suffix List only: no network, no cache file; private suffixes count, so that
    # two customers of one hosting company are two sites
    return TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)


def registrable_domain(host: str) -> str:
    """The part of a host that one owner registers; the host itself for addresses and *.localhost.

    A name under no known suffix counts by its last two labels (the Public Suffix List's default rule).
    """
    bare = host.strip("[]").rstrip(".").lower()
    labels = bare.split(".")
    if _is_address(bare) or labels[-1] == "localhost" or len(labels) == 1:
        return bare
    found = _extractor()(bare)
    if found.suffix and found.domain:
        return f"{found.domain}.{found.suffix}"
    return bare if found.suffix else ".".join(labels[-2:])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Site:
    """What one crawl may visit: the registrable domain of its home page, at the home page's port."""

    home: str  # canonical

    def holds(self, url: str) -> bool:
        """Whether a canonical URL is of this site. Odd ports must match exactly."""
        mine, other = urlsplit(self.home), urlsplit(url)
        if mine.hostname == other.hostname:
            return _port_kind(mine.port) == _port_kind(other.port)
        if mine.port or other.port or not mine.hostname or not other.hostname:
            return False
        return registrable_domain(mine.hostname) == registrable_domain(other.hostname)

    def adopt(self, url: str) -> str:
        """The URL with the home page's scheme and host where it differs only in http(s) or `www.`."""
        mine, other = urlsplit(self.home), urlsplit(url)
        same_host = (mine.hostname or "").removeprefix("www.") == (other.hostname or "").removeprefix("www.")
        if same_host and _port_kind(mine.port) == _port_kind(other.port):
            return urlunsplit((mine.scheme, mine.netloc, other.path, other.query, ""))
        return url


def _port_kind(port: int | None) -> int | None:
    return None if port in {None, 80, 443} else port


def origin_of(url: str) -> str:
    """Scheme, host and port of a canonical URL, with a slash at the end."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def is_page_url(url: str) -> bool:
    """Whether a canonical URL may be a page worth a request: no file download, no shop or login machinery."""
    parts = urlsplit(url)
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    return not BINARY.search(parts.path) and not MACHINERY.search(tail)


def is_trap(url: str) -> bool:
    """Whether a URL looks generated without end: repeating path segments, calendars, many parameters, deep paths."""
    parts = urlsplit(url)
    segments = [segment for segment in unquote(parts.path).lower().split("/") if segment]
    if len(segments) > MAX_SEGMENTS or any(segments.count(segment) >= REPEATS for segment in segments):
        return True
    pairs = list(pairwise(segments))
    if len(pairs) != len(set(pairs)):
        return True
    return parts.query.count("&") >= MAX_PARAMETERS or bool(CALENDAR.search(f"{parts.path}?{parts.query}"))


def shape_of(url: str) -> str:
    """A URL with its numbers and parameter values blanked: generated URLs share a shape."""
    parts = urlsplit(url)
    names = "&".join(pair.split("=", 1)[0] for pair in parts.query.split("&"))
    return re.sub(r"\d+", "0", parts.path) + "?" + re.sub(r"\d+", "0", names)


def folder_of_index(url: str) -> str | None:
    """For `/x/index.html` and the like: `/x/`, else None."""
    parts = urlsplit(url)
    if parts.query or not INDEX_FILE.search(parts.path):
        return None
    return urlunsplit((parts.scheme, parts.netloc, INDEX_FILE.sub("/", parts.path), "", ""))
