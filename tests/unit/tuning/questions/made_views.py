"""Companies that questions are made of."""

from __future__ import annotations

import re
from typing import Any

from credit_signals.domain import (
    Activity,
    Company,
    Evidence,
    FetchStatus,
    GraphEdge,
    GraphNode,
    PageRole,
    Section,
    Sentence,
    Signal,
    SiteFact,
    SiteGraph,
    Stance,
    Subject,
    now,
)
from credit_signals.tuning.questions.grounds import CompanyView

HOME = "https://example.test/"


def section(url: str, text: str, **values: Any) -> Section:
    """A section whose sentences end with a full stop."""
    spans = [(match.start(), match.end()) for match in re.finditer(r"[^\s.][^.]*\.?", text)]
    sentences = tuple(Sentence(number=n, start=start, end=end) for n, (start, end) in enumerate(spans, start=1))
    role = values.pop("role", PageRole.NEWS)
    return Section.build(company_id="c1", url=url, role=role, text=text, sentences=sentences, language="en", **values)


def signal(of: Section, code: str, number: int, stance: Stance = Stance.PLANNED) -> Signal:
    """A signal on one sentence of a section."""
    place = of.sentences[number - 1]
    evidence = Evidence(
        url=of.url, section_id=of.id, sentences=(number,), start=place.start, end=place.end,
        quote=of.quote(place.start, place.end),
    )  # fmt: skip
    return Signal(
        id=f"{code}-{of.id}-{number}", company_id="c1", code=code, stance=stance, subject=Subject.COMPANY, severity=2,
        confidence=0.8, evidence=evidence, first_seen=now(), last_seen=now(),
    )  # fmt: skip


def graph(*pages: tuple[str, PageRole]) -> SiteGraph:
    """A home page that links to all others."""
    nodes = [GraphNode(url=HOME, role=PageRole.HOME, depth=0, rank=0.5, title="Home", status=FetchStatus.OK)]
    nodes += [GraphNode(url=url, role=role, depth=1, rank=0.1, status=FetchStatus.OK) for url, role in pages]
    edges = tuple(GraphEdge(source=HOME, target=url, anchor=str(role)) for url, role in pages)
    return SiteGraph(company_id="c1", nodes=tuple(nodes), edges=edges)


def view(**values: Any) -> CompanyView:
    """A company with news, an imprint and a page of jobs."""
    news = section(HOME + "news", "We will close our Leeds depot. Our cat is well.", published="2026-03-01")
    imprint = section(
        HOME + "imprint", "Example Tools Ltd. VAT number GB 123 4567 89. Call Jo Bell.", role=PageRole.IMPRINT,
        heading_path=("Imprint",),
    )  # fmt: skip
    business = section(HOME, "We make hammers in a small forge.", role=PageRole.HOME)
    place = business.sentences[0]
    found: dict[str, Any] = {
        "company": Company(id="c1", name="Example Tools", domain="example.test", url=HOME),
        "graph": graph(
            (HOME + "news", PageRole.NEWS), (HOME + "jobs", PageRole.JOBS), (HOME + "imprint", PageRole.IMPRINT)
        ),
        "sections": (news, imprint, business),
        "facts": (
            SiteFact(key="vat_id", value="GB 123 4567 89", url=HOME + "imprint", source="imprint"),
            SiteFact(key="managing_director", value="Jo Bell", url=HOME + "imprint", source="imprint"),
        ),
        "signals": (signal(news, "site_closure", 1),),
        "activities": (
            Activity(
                scheme="NACE2", code="25", title="Manufacture of fabricated metal products", probability=0.8,
                evidence=(
                    Evidence(
                        url=HOME, section_id=business.id, sentences=(1,), start=place.start, end=place.end,
                        quote=business.quote(place.start, place.end),
                    ),
                ),
            ),
        ),
    }  # fmt: skip
    return CompanyView(**(found | values))
