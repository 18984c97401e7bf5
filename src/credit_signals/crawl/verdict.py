"""What became of a site, told by its outcomes and pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import lxml.html
from lxml import etree

from credit_signals.crawl.home import start_urls
from credit_signals.crawl.roles import plain_words
from credit_signals.crawl.urls import registrable_domain
from credit_signals.domain import Company, Fetch, FetchStatus, Page, SiteStatus

SERVER_ERROR = 500
PARKED_TEXT = 3_000  # characters; a longer home page is somebody's own
PARKED_PAGES = 3
MAX_TEXT = 50_000  # characters of a page looked at
HIDDEN = ("script", "style", "template", "noscript", "head")
SCRIPTED_TEXT = 200  # characters of visible text that a page made by scripts may have beside its empty root
APP_ROOTS = re.compile(
    r"^(?:root|app|app-root|__next|__nuxt|___gatsby|react-root|main-app|q-app|svelte|ember-app)$", re.I
)
NEEDS_SCRIPTS = re.compile(
    r"javascript (?:must be |to be |is )?(?:enabled?|required|disabled|aktivieren|muss aktiviert)|"
    r"(?:enable|activate|turn on|requires?|need|without|aktivieren sie|activer|activez|active|habilit\w+|abilit\w+|"
    r"attiva\w*) (?:your |the |le |el |il )?javascript"
)
# What registrars and domain dealers write about the domain itself, accents removed.
PARKED = re.compile(
    r"(?:this|the) domain(?: name)? (?:\S+ ){0,5}?(?:is|may be|might be|could be) (?:now )?"
    r"(?:for sale|available for purchase|parked)|"
    r"(?:buy|purchase|acquire) this domain|this domain (?:has )?expired|parked free|"
    r"interested in this domain|make an offer (?:on|for) this domain|inquire about this domain|"
    r"this (?:domain|web ?page|website|site) (?:has been|was|is) (?:just )?(?:registered|parked|reserved)|"
    r"future home of something|hier entsteht eine neue internetprasenz|"
    r"(?:diese|die) domain (?:\S+ ){0,5}?"
    r"(?:steht (?:\S+ )?zum verkauf|zu verkaufen|ist geparkt|kaufen|wurde registriert|ist reserviert)|"
    r"(?:ce|le) (?:nom de )?domaine (?:\S+ ){0,5}?(?:est a vendre|est en vente|est reserve|a ete enregistre)|"
    r"(?:este|el) dominio (?:\S+ ){0,5}?(?:esta en venta|esta a la venta|esta aparcado|ha sido registrado)|"
    r"(?:questo|il) dominio (?:\S+ ){0,5}?(?:e in vendita|e parcheggiato|e stato registrato)|"
    r"(?:comprar|acquista|acheter|achetez) (?:este|questo|ce) (?:dominio|domaine|nom de domaine)"
)
# What the home page's outcome makes of a site without pages; the outcome's reason follows.
WITHOUT_PAGES = {
    FetchStatus.DNS_ERROR: (SiteStatus.UNREACHABLE, "no address:"),
    FetchStatus.CONNECT_ERROR: (SiteStatus.UNREACHABLE, "no answer:"),
    FetchStatus.TIMEOUT: (SiteStatus.UNREACHABLE, "no answer:"),
    FetchStatus.TLS_ERROR: (SiteStatus.UNREACHABLE, "no secure connection:"),
    FetchStatus.BUDGET_SPENT: (SiteStatus.UNREACHABLE, "no answer in time:"),
    FetchStatus.REDIRECTED_AWAY: (SiteStatus.UNREACHABLE, "the home page"),
    FetchStatus.BLOCKED_ADDRESS: (SiteStatus.BLOCKED_ADDRESS, "not a public address:"),
    FetchStatus.REDIRECT_LOOP: (SiteStatus.REDIRECT_LOOP, "the home page"),
    FetchStatus.HTTP_ERROR: (SiteStatus.HTTP_ERROR, "the home page"),
}
DEALERS = {
    "sedo.com", "sedoparking.com", "dan.com", "afternic.com", "hugedomains.com", "parkingcrew.net", "bodis.com",
    "above.com", "parklogic.com", "undeveloped.com", "buydomains.com", "uniregistry.com", "domainmarket.com",
    "skenzo.com", "parking.reg.ru", "brandbucket.com", "squadhelp.com", "efty.com",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Look:
    """What a visitor without scripts sees of a page."""

    text: str
    has_scripts: bool
    empty_root: bool
    asks_for_scripts: bool
    hosts: frozenset[str]


def judge_site(company: Company, fetches: Sequence[Fetch], pages: Sequence[Page]) -> tuple[SiteStatus, str]:
    """The site's status and why, a sentence fragment (empty for READ).

    READ here means that there are pages; whether they hold readable text is for the sections to say.
    """
    if not pages:
        return _without_pages(company, fetches)
    home = min(pages, key=lambda page: page.depth)
    look = _look_at(home)
    parked = _parked(home, look, len(pages))
    if parked:
        return SiteStatus.PARKED, parked
    if _scripted(look) and all(_scripted(_look_at(page)) for page in pages):
        return SiteStatus.JAVASCRIPT_ONLY, "the pages hold no text before scripts run"
    return SiteStatus.READ, ""


def home_fetch(company: Company, fetches: Sequence[Fetch]) -> Fetch | None:
    """The outcome that counts for the home page: the last of its forms that was tried."""
    forms = start_urls(company)
    return next((fetch for fetch in reversed(fetches) if fetch.url in forms), None)


def _without_pages(company: Company, fetches: Sequence[Fetch]) -> tuple[SiteStatus, str]:
    home = home_fetch(company, fetches)
    if home is None:
        return SiteStatus.UNREACHABLE, "the home page was not asked for"
    if home.status is FetchStatus.ROBOTS_DENIED:
        return _refused(fetches, home.reason)
    unreadable = SiteStatus.EMPTY, f"the home page cannot be read ({home.status.value}):"
    status, words = WITHOUT_PAGES.get(home.status, unreadable)
    return status, f"{words} {home.reason}".strip(": ")


def _refused(fetches: Sequence[Fetch], reason: str) -> tuple[SiteStatus, str]:
    for fetch in fetches:
        if fetch.url.endswith("/robots.txt") and (fetch.http_status or 0) >= SERVER_ERROR:
            # RFC 9309 reads this as a refusal, yet it is the server that is ill
            return SiteStatus.HTTP_ERROR, f"the server answers {fetch.http_status} to robots.txt"
    return SiteStatus.ROBOTS_REFUSED, "robots.txt refuses the home page" if reason == "robots.txt" else reason


def _parked(home: Page, look: _Look, pages: int) -> str:
    host = registrable_domain(urlsplit(home.url).hostname or "")
    if host in DEALERS:
        return f"the home page leads to {host}, a domain dealer"
    if pages > PARKED_PAGES or len(look.text) > PARKED_TEXT:
        return ""
    found = PARKED.search(plain_words(f"{home.title} | {look.text}"))
    if found:
        return f"the home page says: {found.group()}"
    dealer = next(iter(sorted(look.hosts & DEALERS)), "")
    return f"the home page is served for {dealer}, a domain dealer" if dealer and len(look.text) < SCRIPTED_TEXT else ""


def _scripted(look: _Look) -> bool:
    return look.has_scripts and len(look.text) < SCRIPTED_TEXT and (look.empty_root or look.asks_for_scripts)


def _look_at(page: Page) -> _Look:
    root = parse_tree(page.html)
    if root is None:
        return _Look("", has_scripts=False, empty_root=False, asks_for_scripts=False, hosts=frozenset())
    sources = root.xpath("//script/@src | //iframe/@src | //frame/@src | //a/@href")
    hosts = {registrable_domain(host) for source in sources if (host := _host(str(source)))}
    noscript = " ".join(" ".join(element.itertext()) for element in root.iter("noscript"))
    empty_root = any(
        _is_app_root(element) and not "".join(element.itertext()).strip()
        for element in root.iter("div", "main", "section", "app-root")
    )
    has_scripts = next(root.iter("script"), None) is not None
    text = take_visible_text(root)[:MAX_TEXT]
    return _Look(
        text=text,
        has_scripts=has_scripts,
        empty_root=empty_root,
        asks_for_scripts=bool(NEEDS_SCRIPTS.search(plain_words(f"{noscript} {text}"))),
        hosts=frozenset(hosts),
    )


def parse_tree(html: str) -> lxml.html.HtmlElement | None:
    """A page's markup as a tree, None for an empty document."""
    parser = lxml.html.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=False)
    try:
        return lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def take_visible_text(root: lxml.html.HtmlElement) -> str:
    """The text outside scripts, styles, comments and the head, spaces squeezed; cuts the rest out of the tree."""
    etree.strip_elements(root, *HIDDEN, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    return " ".join(" ".join(root.itertext()).split())


def _is_app_root(element: lxml.html.HtmlElement) -> bool:
    return element.tag == "app-root" or bool(APP_ROOTS.match(str(element.get("id") or "")))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
