"""The reader that ships with the project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader_samples import ROOT, make_section

from credit_signals.domain import PageRole
from credit_signals.inference.base import Reader
from credit_signals.inference.manifest import reader_id
from credit_signals.inference.opening import open_reader

MANIFEST = ROOT / "workers/section_reader/encoder.toml"
STATED = {
    "site_closure": "We are closing our Leeds branch at the end of March.",
    "executive_exit": "Our founder John Hill has retired after forty years.",
    "certification": "We are proud to have been awarded ISO 9001 certification.",
    "supply_disruption": "Due to a shortage of flour we cannot take new orders.",
    "relocation_rename": "We have moved to 12 High Street, York.",
    "product_launch": "We are delighted to launch our new range of garden furniture.",
}
TRAPS = [
    "Opening hours: Monday to Friday 9am to 5pm.",
    "We advise on insolvency and redundancy.",
    "After the fire of 1905 the mill was rebuilt.",
    "Call us for a free quote.",
    "All prices include VAT.",
    "Our showroom has ample parking.",
]


@pytest.fixture(scope="module")
def shipped() -> Iterator[Reader]:
    """The shipped reader, all sums checked."""
    reader = open_reader(MANIFEST)
    yield reader
    reader.close()


def test_every_file_of_the_manifest_is_the_one_it_names(shipped: Reader) -> None:
    """The reader opens, so every sum holds, and the id is the one that tasks are planned with."""
    assert shipped.id == reader_id(MANIFEST)


def test_it_finds_what_plain_sentences_state(shipped: Reader) -> None:
    """Of six plain statements at least four are found."""
    predictions = shipped.read([make_section([text], role=PageRole.NEWS) for text in STATED.values()])
    pairs = zip(STATED, predictions, strict=True)
    assert sum(code in {signal.code for signal in found.signals} for code, found in pairs) >= 4


def test_it_is_silent_on_what_states_nothing(shipped: Reader) -> None:
    """Of six ordinary fragments at most one is taken for a signal."""
    predictions = shipped.read([make_section([text]) for text in TRAPS])
    assert sum(bool(prediction.signals) for prediction in predictions) <= 1
