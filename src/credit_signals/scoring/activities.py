"""What a company does: the votes of its sections, level by level of each scheme.

A section votes with the weight of its page's role, of its length and of its certainty. At each level a code's
probability is its share of the votes; levels are given from the coarsest down for as long as one code has enough.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from credit_signals.domain import Activity, Evidence, FoundActivity, PageRole, Prediction, Section
from credit_signals.scoring.evidence import evidence_of
from credit_signals.taxonomy.activities import ancestors, level_of, parent_of

log = logging.getLogger(__name__)

ROLE_WEIGHTS: dict[PageRole, float] = {
    PageRole.ABOUT: 1.5,  # says what the company does in its own words
    PageRole.PRODUCTS: 1.3,
    PageRole.HOME: 1.2,
    PageRole.OTHER: 0.7,
    PageRole.TEAM: 0.4,
    PageRole.NEWS: 0.4,
    PageRole.JOBS: 0.4,  # the posts of a carpenter's office are not carpentry
    PageRole.CONTACT: 0.2,
    PageRole.IMPRINT: 0.2,
    PageRole.LEGAL: 0.05,
}
FULL_LENGTH = 300  # characters from which a section's length weighs no more
ENOUGH = 0.35  # the best code of a level needs this much for the level to be given; the coarsest is always given
LEAST = 0.05  # codes below are not listed
LISTED = 5  # codes per level
QUOTED = 3  # pieces of evidence per code


@dataclass(frozen=True, slots=True)
class _Vote:
    section: Section
    found: tuple[FoundActivity, ...]  # of one scheme
    shares: dict[str, float]  # code -> probability, at every level
    weight: float


def find_activities(
    sections: Sequence[Section], predictions: Mapping[str, Prediction], title_of: Callable[[str, str], str]
) -> list[Activity]:
    """The activities of a company by scheme, then level (coarsest first), then probability.

    `predictions` are by content hash; `title_of` gives the title of a scheme's code. Probabilities of one level of one
    scheme sum to at most 1. Codes outside the taxonomy are left out and logged.
    """
    votes: defaultdict[str, list[_Vote]] = defaultdict(list)
    for section in sections:
        prediction = predictions.get(section.content_hash)
        for scheme, found in _by_scheme(prediction.activities if prediction else ()).items():
            votes[scheme].append(_vote(section, scheme, found))
    return [activity for scheme in sorted(votes) for activity in _count(scheme, votes[scheme], title_of)]


def _by_scheme(found: Sequence[FoundActivity]) -> dict[str, tuple[FoundActivity, ...]]:
    schemes: defaultdict[str, list[FoundActivity]] = defaultdict(list)
    for activity in found:
        if _known(activity):
            schemes[activity.scheme].append(activity)
    return {scheme: tuple(activities) for scheme, activities in schemes.items()}


def _known(activity: FoundActivity) -> bool:
    try:
        level_of(activity.scheme, activity.code)
    except ValueError as error:
        log.warning("activity left out: %s", error)
        return False
    return True


def _vote(section: Section, scheme: str, found: tuple[FoundActivity, ...]) -> _Vote:
    shares = _all_levels(scheme, found)
    length = min(1.0, len(section.text) / FULL_LENGTH)
    certainty = max(shares.values(), default=0.0)
    return _Vote(section, found, shares, ROLE_WEIGHTS[section.role] * length * certainty)


def _all_levels(scheme: str, found: tuple[FoundActivity, ...]) -> dict[str, float]:
    """Shares at every level: as the reader gave them, or summed up from the next deeper level."""
    levels: defaultdict[int, dict[str, float]] = defaultdict(dict)
    for activity in found:
        at_level = levels[level_of(scheme, activity.code)]
        at_level[activity.code] = max(activity.probability, at_level.get(activity.code, 0.0))
    for level in range(max(levels, default=0) - 1, 0, -1):
        if not levels[level]:
            for code, share in levels[level + 1].items():
                parent = parent_of(scheme, code)
                levels[level][parent] = levels[level].get(parent, 0.0) + share
    return {code: share for at_level in levels.values() for code, share in at_level.items()}


def _count(scheme: str, votes: Sequence[_Vote], title_of: Callable[[str, str], str]) -> list[Activity]:
    total = sum(vote.weight for vote in votes)
    if not total:
        return []
    levels: defaultdict[int, dict[str, float]] = defaultdict(dict)
    for vote in votes:
        for code, share in vote.shares.items():
            at_level = levels[level_of(scheme, code)]
            at_level[code] = at_level.get(code, 0.0) + share * vote.weight / total
    activities: list[Activity] = []
    for level in sorted(levels):
        ranked = sorted(levels[level].items(), key=lambda item: (-item[1], item[0]))
        if activities and ranked[0][1] < ENOUGH:
            break
        activities += [
            Activity(
                scheme=scheme,
                code=code,
                title=title_of(scheme, code),
                probability=min(1.0, share),
                evidence=_evidence(scheme, code, votes),
            )
            for code, share in ranked[:LISTED]
            if share >= LEAST
        ]
    return activities


def _evidence(scheme: str, code: str, votes: Sequence[_Vote]) -> tuple[Evidence, ...]:
    """The sentences of the sections that speak most for a code, one quote each."""
    ranked = sorted(
        (vote for vote in votes if vote.shares.get(code)),
        key=lambda vote: (-vote.weight * vote.shares[code], vote.section.url, vote.section.id),
    )
    quotes: dict[str, Evidence] = {}
    for vote in ranked:
        speaking = [found for found in vote.found if code in ancestors(scheme, found.code) and found.sentences]
        numbers = max(speaking, key=lambda found: found.probability).sentences if speaking else (1,)
        evidence = evidence_of(vote.section, numbers[:1])
        if evidence:
            quotes.setdefault(evidence.quote, evidence)
        if len(quotes) == QUOTED:
            break
    return tuple(quotes.values())
