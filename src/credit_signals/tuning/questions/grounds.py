"""What a company's site is known to tell, each with the place that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from credit_signals.domain import Activity as VotedActivity
from credit_signals.domain import (
    Company,
    FetchStatus,
    GraphNode,
    PageRole,
    Section,
    Signal,
    SiteFact,
    SiteGraph,
)
from credit_signals.errors import ConfigurationError
from credit_signals.store.base import ResultsStore

LEAST_PROBABILITY = 0.5  # of an activity that is asked for
DIVISION = 2  # characters of its code


@dataclass(frozen=True, slots=True)
class CompanyView:
    """All that questions about one company are made of.

    `doubted` are codes that the reader found or was unsure of; `wholly_read` is false where it left a section unread:
    then nobody knows which signals are absent.
    """

    company: Company
    graph: SiteGraph
    sections: tuple[Section, ...]
    facts: tuple[SiteFact, ...]
    signals: tuple[Signal, ...] = ()
    activities: tuple[VotedActivity, ...] = ()
    doubted: frozenset[str] = frozenset()
    wholly_read: bool = True


@dataclass(frozen=True, slots=True)
class Quoted:
    """A verbatim part of a section, whole sentences: `section.text[start:end]`."""

    section: Section
    start: int
    end: int

    @property
    def text(self) -> str:
        """The quote."""
        return self.section.quote(self.start, self.end)


@dataclass(frozen=True, slots=True)
class FactGround:
    """A fact with one value, and where the site says so."""

    fact: SiteFact
    quoted: Quoted


@dataclass(frozen=True, slots=True)
class SignalGround:
    """A signal and its evidence."""

    signal: Signal
    quoted: Quoted


@dataclass(frozen=True, slots=True)
class ActivityGround:
    """The line of business and its evidence."""

    activity: VotedActivity
    quoted: Quoted


@dataclass(frozen=True, slots=True)
class PageGround:
    """The only page of its role."""

    node: GraphNode


Ground = FactGround | SignalGround | ActivityGround | PageGround


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is told, and what is not: keys of facts, codes of signals, roles of pages."""

    told: tuple[Ground, ...]
    absent_facts: frozenset[str] = field(default_factory=frozenset)
    absent_codes: frozenset[str] = field(default_factory=frozenset)
    absent_roles: frozenset[PageRole] = field(default_factory=frozenset)


def company_views(store: ResultsStore, run_id: str = "") -> Iterator[CompanyView]:
    """The companies of a run (the latest, if none is named) whose sites were read.

    Raises ConfigurationError when there is no such run, StoreUnavailable.
    """
    run = store.run(run_id) if run_id else store.latest_run()
    if run is None:
        raise ConfigurationError(f"the store has no run {run_id}" if run_id else "the store has no run yet")
    for company in store.companies(run.id):
        site, report = store.site(run.id, company.id), store.report(run.id, company.id)
        if site is None or site.graph is None or not site.sections:
            continue
        predictions = store.predictions(run.id, company.id)
        read = {content for content, each in predictions.items() if not each.unread_reason}
        yield CompanyView(
            company=company,
            graph=site.graph,
            sections=site.sections,
            facts=site.facts,
            signals=report.signals if report else (),
            activities=report.activities if report else (),
            wholly_read=all(section.content_hash in read for section in site.sections),
            doubted=frozenset(s.code for each in predictions.values() for s in (*each.signals, *each.unsure)),
        )


def find_grounds(view: CompanyView, keys: Sequence[str], codes: Sequence[str], roles: Sequence[PageRole]) -> Grounds:
    """What can be asked of a company: facts of these keys, signals of these codes, pages of these roles."""
    fetched = [node for node in view.graph.nodes if node.status in {FetchStatus.OK, FetchStatus.NOT_MODIFIED}]
    return Grounds(
        told=(*_facts(view, keys), *_signals(view, codes), *_activities(view), *_pages(fetched, roles)),
        absent_facts=frozenset(keys) - {fact.key for fact in view.facts},
        absent_codes=_absent_codes(view, codes),
        absent_roles=frozenset(roles) - {node.role for node in view.graph.nodes},
    )


def _absent_codes(view: CompanyView, codes: Sequence[str]) -> frozenset[str]:
    if not view.wholly_read:
        return frozenset()
    return frozenset(codes) - view.doubted - {signal.code for signal in view.signals}


def _facts(view: CompanyView, keys: Sequence[str]) -> Iterator[FactGround]:
    """Facts of one value only: of several, none is the answer."""
    for key in keys:
        facts = [fact for fact in view.facts if fact.key == key]
        if len({fact.value for fact in facts}) == 1 and (quoted := _place_of(facts[0], view.sections)):
            yield FactGround(facts[0], quoted)


def _place_of(fact: SiteFact, sections: Sequence[Section]) -> Quoted | None:
    """The sentences that hold the value, on its own page if they are there."""
    words = re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, fact.value.split())) + r"(?!\w)")
    for section in sorted(sections, key=lambda each: each.url != fact.url):
        if (match := words.search(section.text)) and (quoted := whole_sentences(section, match.start(), match.end())):
            return quoted
    return None


def whole_sentences(section: Section, start: int, end: int) -> Quoted | None:
    """The sentences that a part of the text lies in; None where it is not covered by them."""
    met = [each for each in section.sentences if each.start < end and each.end > start]
    if not met or met[0].start > start or met[-1].end < end:
        return None
    return Quoted(section, met[0].start, met[-1].end)


def _signals(view: CompanyView, codes: Sequence[str]) -> Iterator[SignalGround]:
    """The first present signal of each code whose section belongs to this run."""
    sections = {section.id: section for section in view.sections}
    seen: set[str] = set()
    for signal in sorted(view.signals, key=lambda each: (-each.confidence, each.id)):
        section = sections.get(signal.evidence.section_id)
        if section and signal.withdrawn_at is None and signal.code in codes and signal.code not in seen:
            seen.add(signal.code)
            yield SignalGround(signal, Quoted(section, signal.evidence.start, signal.evidence.end))


def _activities(view: CompanyView) -> Iterator[ActivityGround]:
    sections = {section.id: section for section in view.sections}
    divisions = [each for each in view.activities if each.scheme == "NACE2" and len(each.code) == DIVISION]
    best = max(divisions, key=lambda each: each.probability, default=None)
    if best and best.probability >= LEAST_PROBABILITY:
        for evidence in best.evidence[:1]:
            if section := sections.get(evidence.section_id):
                yield ActivityGround(best, Quoted(section, evidence.start, evidence.end))


def _pages(fetched: Sequence[GraphNode], roles: Sequence[PageRole]) -> Iterator[PageGround]:
    for role in roles:
        nodes = [node for node in fetched if node.role is role]
        if len(nodes) == 1:
            yield PageGround(nodes[0])
