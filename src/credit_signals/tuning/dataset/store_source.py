"""Sentences of the results store, with what the present reader said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from credit_signals.domain import Company, FoundSignal, Prediction, Section, content_id
from credit_signals.errors import ConfigurationError
from credit_signals.store.base import ResultsStore
from credit_signals.tuning.dataset.candidates import Candidate, strata_of
from credit_signals.tuning.dataset.rows import SentenceRow


def store_candidates(store: ResultsStore, run_id: str = "") -> Iterator[Candidate]:
    """Every sentence of a run (the latest, if none is named), company by company.

    Raises ConfigurationError when there is no such run, StoreUnavailable.
    """
    run = store.run(run_id) if run_id else store.latest_run()
    if run is None:
        raise ConfigurationError(f"the store has no run {run_id}" if run_id else "the store has no run yet")
    for company in store.companies(run.id):
        site = store.site(run.id, company.id)
        if site and site.sections:
            predictions = store.predictions(run.id, company.id)
            for section in site.sections:
                yield from section_candidates(company, section, predictions.get(section.content_hash))


def section_candidates(company: Company, section: Section, prediction: Prediction | None) -> Iterator[Candidate]:
    """The sentences of a section that hold letters, each after the sentence or heading before it."""
    found: defaultdict[int, list[FoundSignal]] = defaultdict(list)
    for signal in prediction.signals if prediction else ():
        found[signal.sentence].append(signal)
    read = prediction is not None and not prediction.unread_reason
    before = section.heading_path[-1] if section.heading_path else ""
    for sentence in section.sentences:
        text = section.quote(sentence.start, sentence.end)
        if any(map(str.isalpha, text)):
            signals = found[sentence.number]
            row = SentenceRow.model_validate(
                {
                    "id": content_id(section.id, str(sentence.number)),
                    "src": f"site/{company.domain}",
                    "lang": section.language,
                    "prev": before,
                    "text": text,
                    "heading": list(section.heading_path),
                    "role": section.role.value,
                    "url": section.url,
                    "section": section.id,
                    "sentence": sentence.number,
                    "predicted": [signal.code for signal in signals],
                }
            )
            yield Candidate(row, strata_of(signals, read, section.role.value, section.language))
            before = text
