"""The nouns of the product, one page. All are frozen; ids are content hashes; times are UTC.

Offsets count Unicode code points in the text they point into, start included, end excluded.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from enum import StrEnum
from math import fsum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def content_id(*parts: str) -> str:
    """A 32-character hexadecimal id of the parts (BLAKE2b, 128 bits; parts cannot run into each other)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class Noun(BaseModel):
    """Base of all nouns: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


# --- queue --------------------------------------------------------------------------------------------------------


class SectionTask(Noun):
    """A section to be read by one reader. The id leaves out the run and the company, so answers are reused."""

    id: str
    section: Section
    reader_id: str

    @classmethod
    def build(cls, section: Section, reader_id: str) -> SectionTask:
        """Make the task of a section for a reader (`reader_id` is question version + model hash)."""
        return cls(id=content_id(section.content_hash, reader_id), section=section, reader_id=reader_id)


class DeadLetter(Noun):
    """A task that failed for good."""

    task: SectionTask | None  # None: the message could not be parsed
    reason: str
    attempts: int
    entry_id: str
    failed_at: datetime


# --- what readers find --------------------------------------------------------------------------------------------


class Stance(StrEnum):
    """How far a stated event is real."""

    OCCURRED = "occurred"
    ONGOING = "ongoing"
    PLANNED = "planned"
    POSSIBLE = "possible"
    DENIED = "denied"


class Subject(StrEnum):
    """Whom a stated event befalls."""

    COMPANY = "company"
    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    COMPETITOR = "competitor"
    SECTOR = "sector"
    OTHER = "other"


class FoundSignal(Noun):
    """A signal as a reader states it: a code of the signal taxonomy on one numbered sentence."""

    code: str
    sentence: int
    stance: Stance
    subject: Subject
    severity: int = Field(ge=1, le=3)
    confidence: float = Field(ge=0, le=1)
    margin: float = 0.0  # distance to the decision threshold or to the second choice


class FoundActivity(Noun):
    """A candidate activity code for one section; probabilities of one level of a scheme sum to at most 1."""

    scheme: str  # "NACE2" or "NAICS2022"
    code: str
    probability: float = Field(ge=0, le=1)
    sentences: tuple[int, ...] = ()


class Prediction(Noun):
    """All that one reader says of one section. Keyed by the task id; never overwritten."""

    task_id: str
    content_hash: str
    reader_id: str
    signals: tuple[FoundSignal, ...] = ()
    activities: tuple[FoundActivity, ...] = ()
    unread_reason: str = ""  # not empty: the reader does not know this text, e.g. "language:de"
    read_at: datetime


class Evidence(Noun):
    """A verbatim quote: `section.text[start:end] == quote`."""

    url: str
    section_id: str
    sentences: tuple[int, ...]
    start: int
    end: int
    quote: str


class Signal(Noun):
    """A signal of a company. `withdrawn_at` is set when the statement vanished from the site."""

    id: str  # company, code, stance, subject and the quoted text
    company_id: str
    code: str
    stance: Stance
    subject: Subject
    severity: int
    confidence: float
    evidence: Evidence
    stated_on: str = ""  # ISO 8601 day or month on which the site says it published the statement; empty: not dated
    first_seen: datetime
    last_seen: datetime
    withdrawn_at: datetime | None = None


class Activity(Noun):
    """A business activity of a company, voted by its sections."""

    scheme: str
    code: str
    title: str
    probability: float
    evidence: tuple[Evidence, ...] = ()


class Contribution(Noun):
    """A signed, additive part of the gauge, in points; the parts and the base add up to the value before clipping."""

    label: str
    points: float
    signal_id: str = ""
    fact_key: str = ""
    detail: str = ""  # the factors, readable


class Score(Noun):
    """The risk gauge of a company: 1 (worst) to 100. Not a probability of default."""

    value: int = Field(ge=1, le=100)
    band: str
    base: float
    contributions: tuple[Contribution, ...]
    weights_version: str

    @property
    def raw(self) -> float:
        """Base and contributions, before rounding and clipping to 1..100."""
        return fsum([self.base, *(part.points for part in self.contributions)])


class CompanyReport(Noun):
    """All that the product says of one company in one run."""

    run_id: str
    company: Company
    status: SiteStatus
    reason: str = ""
    pages: int = 0
    sections: int = 0
    unread_sections: dict[str, int] = Field(default_factory=dict)  # reason -> count
    language: str = ""  # of most sections
    activities: tuple[Activity, ...] = ()
    gauge: Score | None = None  # None when nothing could be judged
    signals: tuple[Signal, ...] = ()
    site_facts: tuple[SiteFact, ...] = ()
    reader_id: str = ""  # of the reader whose predictions were used
    scored_at: datetime | None = None
