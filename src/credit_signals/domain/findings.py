"""Tasks for readers, what readers find, and what is said of a company in the end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from math import fsum

from pydantic import Field

from credit_signals.domain.nouns import Noun, content_id
from credit_signals.domain.sites import Company, Section, SiteFact, SiteStatus

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
    unsure: tuple[FoundSignal, ...] = ()  # what the reader could neither affirm nor rule out; never scored
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
    unsure_statements: int = 0  # that the reader could neither affirm nor rule out; in no gauge
    language: str = ""  # of most sections
    activities: tuple[Activity, ...] = ()
    gauge: Score | None = None  # None when nothing could be judged
    signals: tuple[Signal, ...] = ()
    site_facts: tuple[SiteFact, ...] = ()
    reader_id: str = ""  # of the reader whose predictions were used
    scored_at: datetime | None = None
