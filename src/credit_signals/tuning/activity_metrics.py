"""How well business activities are told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from credit_signals.domain import FoundActivity
from credit_signals.inference.activity import ActivityFinder
from credit_signals.taxonomy import activities as taxonomy
from credit_signals.tuning.activity_data import Described, Known

Vectors: TypeAlias = NDArray[np.float32]


def measure_known(finder: ActivityFinder, known: Sequence[Known], vectors: Vectors) -> dict[str, Any]:
    """Accuracy on descriptions whose codes are known."""
    answers = [finder.find(vector, item.text) for item, vector in zip(known, vectors, strict=True)]
    naics, nace = [item.naics for item in known], [item.nace for item in known]
    return {
        "texts": len(known),
        "naics_sector_top1": _share(answers, naics, taxonomy.NAICS2022, 3, 1, top=True),
        "naics3_top1": _share(answers, naics, taxonomy.NAICS2022, 3, 1),
        "naics3_top5": _share(answers, naics, taxonomy.NAICS2022, 3, 5),
        "naics6_top1": _share(answers, naics, taxonomy.NAICS2022, 6, 1),
        "nace_section_top1": _share(answers, nace, taxonomy.NACE2, 2, 1, top=True),
        "nace_division_top1": _share(answers, nace, taxonomy.NACE2, 2, 1),
        "nace_division_top5": _share(answers, nace, taxonomy.NACE2, 2, 5),
        "nace_class_top1": _share(answers, nace, taxonomy.NACE2, 5, 1),
    }


def measure_described(finder: ActivityFinder, companies: Sequence[Described], vectors: Vectors) -> dict[str, Any]:
    """Shares of companies whose code is one that their industry allows: an upper bound of accuracy."""
    answers = [finder.find(vector, company.text) for company, vector in zip(companies, vectors, strict=True)]
    naics, nace = [company.naics for company in companies], [company.nace for company in companies]
    return {
        "texts": len(companies),
        "naics_sector_top1": _share(answers, naics, taxonomy.NAICS2022, 3, 1, top=True),
        "naics3_top1": _share(answers, naics, taxonomy.NAICS2022, 3, 1),
        "naics3_top5": _share(answers, naics, taxonomy.NAICS2022, 3, 5),
        "nace_section_top1": _share(answers, nace, taxonomy.NACE2, 2, 1, top=True),
        "nace_division_top1": _share(answers, nace, taxonomy.NACE2, 2, 1),
        "nace_division_top5": _share(answers, nace, taxonomy.NACE2, 2, 5),
    }


def _share(
    answers: Sequence[Sequence[FoundActivity]],
    allowed: Sequence[str | tuple[str, ...]],
    scheme: str,
    length: int,
    first: int,
    *,
    top: bool = False,
) -> float:
    """The share of answers among whose `first` most probable codes of a length is one that is allowed.

    With `top`, probabilities are summed by section or sector, and these are compared.
    """
    hits = 0
    for found, codes in zip(answers, allowed, strict=True):
        wanted = {code[:length] for code in ((codes,) if isinstance(codes, str) else codes)}
        if top:
            wanted = {taxonomy.top_of(scheme, code) for code in wanted}
        hits += any(code in wanted for code in ranked_codes(found, scheme, length, top=top)[:first])
    return round(hits / max(1, len(answers)), 4)


def ranked_codes(found: Sequence[FoundActivity], scheme: str, length: int, *, top: bool = False) -> list[str]:
    """The codes of a length, most probable first; with `top`, their sections or sectors by the sums."""
    sums: defaultdict[str, float] = defaultdict(float)
    for activity in found:
        if activity.scheme == scheme and len(activity.code) == length:
            sums[taxonomy.top_of(scheme, activity.code) if top else activity.code] += activity.probability
    return sorted(sums, key=lambda code: -sums[code])
