"""The texts from which the activity index is made, and those on which its head is trained."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credit_signals.errors import ConfigurationError
from credit_signals.tuning.gics import candidates

_MADE = {"manufacture": "Manufacture of ", "retail": "Retail sale of ", "wholesale": "Wholesale of "}
_PHRASE = re.compile(r"^(.*) \((manufacture|retail|wholesale)\)$")
_OPENING = re.compile(
    r"^This (U\.S\. |NAICS )?industry (group )?comprises (establishments )?(primarily )?(engaged )?(in )?"
)


@dataclass(frozen=True, slots=True)
class CodedText:
    """A text and its code; `code` is of the scheme that the list belongs to."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Described:
    """A company's description, by others, with what its industry allows it to be."""

    text: str
    naics: tuple[str, ...]  # prefixes
    nace: tuple[str, ...]  # divisions
    held_out: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A description in the manner of a small company's website, with its codes."""

    text: str
    naics: str
    nace: str


def naics_titles(schemes: Path) -> list[CodedText]:
    """Titles of NAICS 2022, from three digits down."""
    return [CodedText(row["code"], row["title"].strip()) for row in _naics(schemes)]


def naics_texts(schemes: Path) -> list[CodedText]:
    """Titles with descriptions of NAICS 2022, from three digits down."""
    return [CodedText(row["code"], f"{row['title'].strip()}. {_opened(row['description'])}") for row in _naics(schemes)]


def _naics(schemes: Path) -> Iterator[dict[str, Any]]:
    shortest = 3
    for row in _lines(schemes / "naics2022_descriptions.jsonl"):
        if len(row["code"]) >= shortest:
            yield row


def _opened(description: str) -> str:
    text = re.sub(r"\s+", " ", description.split("Cross-References", maxsplit=1)[0]).strip()
    return _OPENING.sub("", text)


def nace_phrases(schemes: Path) -> list[CodedText]:
    """The phrases of the UK SIC 2007 index under their NACE Rev. 2 classes, made into plain wording."""
    return [
        CodedText(row["nace_rev2"], _worded(row["activity"]))
        for row in _lines(schemes / "uksic2007_alphabetical_index.jsonl")
    ]


def _worded(phrase: str) -> str:
    match = _PHRASE.match(phrase)
    return _MADE[match[2]] + match[1][:1].lower() + match[1][1:] if match else phrase


def known_businesses(path: Path) -> list[Known]:
    """Descriptions with `text`, `naics2022` and `nace2`."""
    return [Known(row["text"], row["naics2022"], row["nace2"]) for row in _lines(path)]


def described_companies(path: Path, per_industry: int, seed: int) -> list[Described]:
    """A sample of company summaries by industry; a fifth, by a hash of the text, is held out for measuring."""
    by_industry: defaultdict[str, set[str]] = defaultdict(set)
    for row in _lines(path):
        if row.get("summary") and all(candidates(row.get("industry") or "")):
            by_industry[row["industry"]].add(row["summary"])
    dice = random.Random(seed)  # noqa: S311  # a sample, not a secret
    companies: list[Described] = []
    for industry, texts in sorted(by_industry.items()):
        naics, nace = candidates(industry)
        for text in dice.sample(sorted(texts), min(per_industry, len(texts))):
            share = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 5
            companies.append(Described(text, naics, nace, held_out=share == 0))
    return companies


def texts_of_activities(schemes: Path, phrases: Path, companies: Path, per_industry: int, seed: int) -> tuple[str, ...]:
    """Every text that the index is made from or its head trained on; equal ones once."""
    described = described_companies(companies, per_industry, seed)
    coded = (*naics_titles(schemes), *naics_texts(schemes), *nace_phrases(schemes))
    parts = (coded, known_businesses(phrases), [company for company in described if not company.held_out])
    return tuple(dict.fromkeys(item.text for part in parts for item in part))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield json.loads(line)
                except ValueError as exc:
                    raise ConfigurationError(f"{path}, line {number}: not JSON") from exc
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}") from exc
