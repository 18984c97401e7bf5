"""Companies, runs, and what their sites hold: fetches, pages, graphs, sections, facts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from credit_signals.domain.nouns import Noun, content_id

# how the crawler names itself while nobody says otherwise
DEFAULT_USER_AGENT = "credit-signals/0.1 (+https://credit-signals.example/bot; bot@credit-signals.example)"

# --- companies and runs -------------------------------------------------------------------------------------------


class Company(Noun):
    """A company to read. `domain` is the lower-case host without `www.` (with `:port` if not the default)."""

    id: str
    name: str
    domain: str
    url: str  # where the crawl starts, absolute
    country: str = ""  # ISO 3166 alpha-2, or empty
    extra: dict[str, str] = Field(default_factory=dict)  # further columns of the list, kept as they came


class Rejection(Noun):
    """A line of a company list that was refused; `line` counts from 1, the header included."""

    line: int
    reason: str


class Budget(Noun):
    """Limits of one company's crawl."""

    pages: int = 40
    bytes: int = 20_000_000  # decoded, over all responses
    seconds: float = 120.0
    depth: int = 4  # links from the home page


class Run(Noun):
    """One pass over a list of companies."""

    id: str
    started_at: datetime
    budget: Budget = Budget()
    reread: bool = False  # queue every section, changed or not
    reader_id: str = ""  # the reader promoted when the run was opened, which reads all of it; empty: the settings'


class SiteStatus(StrEnum):
    """What became of a company's site in a run."""

    READ = "read"  # at least one section was stored
    ROBOTS_REFUSED = "robots_refused"
    UNREACHABLE = "unreachable"  # no address, no connection, TLS failure or timeout at the home page
    BLOCKED_ADDRESS = "blocked_address"  # resolves to a private address and that is not allowed
    REDIRECT_LOOP = "redirect_loop"
    HTTP_ERROR = "http_error"  # the home page answers 4xx or 5xx and no other page was found
    PARKED = "parked"  # a page of a registrar or domain dealer
    JAVASCRIPT_ONLY = "javascript_only"  # the text exists only after running scripts
    EMPTY = "empty"  # pages without readable text
    FAILED = "failed"  # our own error; `reason` says which


# --- crawl --------------------------------------------------------------------------------------------------------


class FetchStatus(StrEnum):
    """The recorded outcome of one request."""

    OK = "ok"
    NOT_MODIFIED = "not_modified"
    REDIRECTED_AWAY = "redirected_away"  # to another site
    REDIRECT_LOOP = "redirect_loop"  # or too many
    ROBOTS_DENIED = "robots_denied"
    HTTP_ERROR = "http_error"
    DNS_ERROR = "dns_error"
    CONNECT_ERROR = "connect_error"
    TLS_ERROR = "tls_error"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    BLOCKED_ADDRESS = "blocked_address"
    UNSUPPORTED_TYPE = "unsupported_type"
    BAD_CONTENT = "bad_content"  # undecodable body, broken encoding, protocol violation
    BUDGET_SPENT = "budget_spent"  # known, but not requested


class ArchivedAt(Noun):
    """Where a response lies: WARC file name and byte offset of its record (WARC 1.1, ISO 28500)."""

    file: str
    offset: int


class Fetch(Noun):
    """The outcome of asking for one URL once (retries included)."""

    company_id: str
    url: str  # canonical, as asked for
    final_url: str  # after redirects
    status: FetchStatus
    http_status: int | None = None
    reason: str = ""
    content_type: str = ""
    charset: str = ""
    decoded_bytes: int = 0
    seconds: float = 0.0
    attempts: int = 1
    etag: str = ""
    last_modified: str = ""
    fetched_at: datetime
    archived_at: ArchivedAt | None = None


class PageRole(StrEnum):
    """What a page is for, told by its URL, anchor texts and title."""

    HOME = "home"
    ABOUT = "about"
    TEAM = "team"
    NEWS = "news"
    JOBS = "jobs"
    IMPRINT = "imprint"
    PRODUCTS = "products"
    CONTACT = "contact"
    LEGAL = "legal"  # terms, privacy, cookies
    OTHER = "other"


class Link(Noun):
    """A link found on a page. `url` is absolute and canonical."""

    url: str
    anchor: str = ""
    rel: str = ""


class Page(Noun):
    """A fetched HTML page. `url` is its canonical final URL; `id` hashes company and URL."""

    id: str
    company_id: str
    url: str
    html: str
    depth: int
    role: PageRole
    title: str = ""
    html_lang: str = ""  # as the page declares it
    links: tuple[Link, ...] = ()
    fetched_at: datetime


class SiteGraph(Noun):
    """A company's pages and links. Node: url, role, depth, rank (PageRank, sums to 1), title, status."""

    company_id: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]


class GraphNode(Noun):
    """A page of the graph, fetched (`status` ok or not_modified) or only known."""

    url: str
    role: PageRole
    depth: int
    rank: float
    title: str = ""
    status: FetchStatus | None = None  # None: linked, never asked for


class GraphEdge(Noun):
    """A link between two pages of the site."""

    source: str
    target: str
    anchor: str = ""


# --- sections -----------------------------------------------------------------------------------------------------


class Sentence(Noun):
    """A sentence of a section; `number` counts from 1; `section.text[start:end]` is its text."""

    number: int
    start: int
    end: int


class SectionKind(StrEnum):
    """The markup that a section came from."""

    TEXT = "text"
    LIST = "list"
    TABLE = "table"
    FOOTER = "footer"


class Section(Noun):
    """A block of a page's text under one heading.

    `content_hash` covers all that a reader sees (role, heading path, text), so equal content is read once. A date of
    publication is no part of it.
    `id` adds the company and the URL.
    """

    id: str
    content_hash: str
    company_id: str
    url: str
    role: PageRole
    kind: SectionKind = SectionKind.TEXT
    heading_path: tuple[str, ...] = ()
    text: str
    sentences: tuple[Sentence, ...]
    language: str = ""  # ISO 639-1, or empty when not known
    published: str = ""  # ISO 8601: YYYY-MM-DD, or YYYY-MM where the page gives no day; empty: it states no date

    @classmethod
    def build(cls, **values: Any) -> Section:
        """Make a section and its two hashes from the other fields."""
        role, path, text = values["role"], tuple(values.get("heading_path", ())), values["text"]
        content_hash = content_id(str(role), *path, text)
        section_id = content_id(values["company_id"], values["url"], content_hash)
        return cls(id=section_id, content_hash=content_hash, **values)

    def quote(self, start: int, end: int) -> str:
        """The text between two offsets."""
        return self.text[start:end]


class DroppedBlock(Noun):
    """Text of a page that did not become a section, and why (`hidden`, `repeated`, `navigation`, `cookie_banner`)."""

    url: str
    reason: str
    characters: int


class SiteFact(Noun):
    """Something a site tells without a model: imprint facts and faults.

    `key` for imprint facts: legal_name, address, register_number, register_court, vat_id, managing_director, phone,
    email, founded; for faults: parked, unreachable, stale_copyright, stale_news, missing_imprint, vanished_page,
    tls_failure.
    """

    key: str
    value: str
    url: str = ""
    source: str = ""  # "imprint", "json-ld", "microdata", "footer", "news", "crawl", or a page's role
