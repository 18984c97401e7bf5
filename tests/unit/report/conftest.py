"""One company with everything that a report can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from credit_signals.domain import (
    Activity,
    Company,
    CompanyReport,
    Evidence,
    Fetch,
    FetchStatus,
    PageRole,
    Section,
    Sentence,
    Signal,
    SiteFact,
    SiteStatus,
    Stance,
    Subject,
)
from credit_signals.scoring import load_weights, score_company

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOST = "https://harrow-castings.example"


@dataclass(frozen=True, slots=True)
class Case:
    """What `render_company` takes."""

    report: CompanyReport
    sections: dict[str, Section]
    fetches: list[Fetch]
    graph_svg: str


def section(path: str, *sentences: str, headings: Sequence[str] = ()) -> Section:
    """A section of these sentences."""
    places, at = [], 0
    for number, sentence in enumerate(sentences, 1):
        places.append(Sentence(number=number, start=at, end=at + len(sentence)))
        at += len(sentence) + 1
    return Section.build(
        company_id="harrow",
        url=HOST + path,
        role=PageRole.NEWS,
        heading_path=tuple(headings),
        text=" ".join(sentences),
        sentences=tuple(places),
        language="en",
    )


def quote(of: Section, number: int) -> Evidence:
    """A sentence of a section as evidence."""
    place = of.sentences[number - 1]
    return Evidence(
        url=of.url,
        section_id=of.id,
        sentences=(number,),
        start=place.start,
        end=place.end,
        quote=of.text[place.start : place.end],
    )


def signal(code: str, evidence: Evidence, days: int = 20, **changes: object) -> Signal:
    """A signal of the company that occurred."""
    values: dict[str, object] = {
        "id": f"{code}-{evidence.section_id}-{evidence.start}",
        "company_id": "harrow",
        "code": code,
        "stance": Stance.OCCURRED,
        "subject": Subject.COMPANY,
        "severity": 2,
        "confidence": 0.87,
        "evidence": evidence,
        "first_seen": AT - timedelta(days=days),
        "last_seen": AT,
    }
    return Signal.model_validate(values | changes)


def build_case() -> Case:
    """A foundry with bad and good news, a withdrawn statement, faults of its site and refused pages."""
    notice = section(
        "/news/foundry-no-2",
        "It is with regret that we write to customers and neighbours today.",
        "Foundry No. 2 in Dudley will close on 31 March and 46 colleagues will leave us.",
        "The machine shop and the pattern store stay where they are.",
        "Anyone with castings on order will hear from us this week.",
        headings=("News", "A difficult decision"),
    )
    order = section(
        "/news/rail",
        "Spring brought good news.",
        "Northline Rail has placed a three-year order for brake housings.",
        "We start deliveries in June.",
        headings=("News",),
    )
    hire = section("/jobs", "We are looking for a pattern maker (m/f/d) to start at once.", headings=("Jobs",))
    about = section(
        "/about",
        "Harrow Castings pours grey and ductile iron for pump, valve and rail builders.",
        "Our own machine shop finishes castings of up to 400 kg.",
        headings=("About us",),
    )
    old = section("/news/finance", "Our bank has agreed to a standstill until September.", headings=("News",))
    signals = (
        signal("site_closure", quote(notice, 2), severity=2),
        signal("layoffs", quote(notice, 2), confidence=0.91),
        signal("contract_win", quote(order, 2), days=160, confidence=0.78),
        signal("hiring", quote(hire, 1), severity=1, stance=Stance.ONGOING, days=4),
        signal("supply_disruption", quote(notice, 4), stance=Stance.DENIED, severity=1, confidence=0.55),
        signal("payment_distress", quote(old, 1), days=200, withdrawn_at=AT),
    )
    facts = (
        SiteFact(key="legal_name", value="Harrow Castings Ltd", url=HOST + "/imprint", source="imprint"),
        SiteFact(key="register_number", value="00000000", url=HOST + "/imprint", source="imprint"),
        SiteFact(key="address", value="1 Cupola Lane, Dudley", url=HOST + "/contact", source="json-ld"),
        SiteFact(key="stale_copyright", value="2021 is the latest year in the footer", url=HOST + "/", source="footer"),
        SiteFact(key="vanished_page", value="the team page answers 404", url=HOST + "/team", source="crawl"),
    )
    report = CompanyReport(
        run_id="20261120T093000Z-1f2e3d",
        company=Company(
            id="harrow",
            name="Harrow Castings Ltd",
            domain="harrow-castings.example",
            url=HOST + "/",
            country="GB",
            extra={"segment": "SME"},
        ),
        status=SiteStatus.READ,
        pages=11,
        sections=48,
        unread_sections={"language:cy": 3},
        language="en",
        activities=(
            Activity(scheme="NACE2", code="C", title="Manufacturing", probability=0.93, evidence=(quote(about, 1),)),
            Activity(scheme="NACE2", code="24", title="Manufacture of basic metals", probability=0.64),
            Activity(scheme="NACE2", code="25", title="Manufacture of fabricated metal products", probability=0.22),
            Activity(
                scheme="NACE2",
                code="24.5",
                title="Casting of metals",
                probability=0.58,
                evidence=(quote(about, 1), quote(about, 2)),
            ),
            Activity(scheme="NAICS2022", code="31-33", title="Manufacturing", probability=0.91),
            Activity(
                scheme="NAICS2022",
                code="331",
                title="Primary Metal Manufacturing",
                probability=0.61,
                evidence=(quote(about, 1),),
            ),
        ),
        gauge=score_company(signals, facts, SiteStatus.READ, load_weights(), AT),
        signals=signals,
        site_facts=facts,
        reader_id="signals-3:all-MiniLM-L6-v2:0f3a9c",
        scored_at=AT,
    )
    sections = {part.id: part for part in (notice, order, hire, about)}
    return Case(report, sections, _fetches(), _GRAPH)


def _fetches() -> list[Fetch]:
    outcomes = [
        ("/", FetchStatus.OK, 200, ""),
        ("/about", FetchStatus.OK, 200, ""),
        ("/news/foundry-no-2", FetchStatus.NOT_MODIFIED, 304, ""),
        ("/team", FetchStatus.HTTP_ERROR, 404, "not found"),
        ("/admin", FetchStatus.ROBOTS_DENIED, None, "robots.txt disallows /admin"),
        ("/brochure.pdf", FetchStatus.UNSUPPORTED_TYPE, 200, "application/pdf is not read"),
    ]
    return [
        Fetch(
            company_id="harrow",
            url=HOST + path,
            final_url=HOST + path,
            status=status,
            http_status=code,
            reason=reason,
            decoded_bytes=18_400 if code == 200 else 0,
            seconds=0.21,
            fetched_at=AT,
        )
        for path, status, code, reason in outcomes
    ]


_GRAPH = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 160" width="600" height="160">'
    '<line x1="80" y1="80" x2="300" y2="40" stroke="#888"/><line x1="80" y1="80" x2="300" y2="120" stroke="#888"/>'
    '<circle cx="80" cy="80" r="18" fill="#1f3f6e"/><circle cx="300" cy="40" r="12" fill="#5c8f4e"/>'
    '<circle cx="300" cy="120" r="12" fill="#b98f16"/></svg>'
)


@pytest.fixture
def case() -> Case:
    """Everything that a report can show."""
    return build_case()
