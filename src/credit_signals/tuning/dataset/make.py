"""A sample as files: sentences to label, the blind test split, and a manifest that says how both came about."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from credit_signals.inference.model_file import file_hash
from credit_signals.inference.questions import load_questions
from credit_signals.store.base import ResultsStore
from credit_signals.tuning.dataset.blind import read_blind, write_blind
from credit_signals.tuning.dataset.candidates import Candidate
from credit_signals.tuning.dataset.file_source import file_candidates
from credit_signals.tuning.dataset.rows import SentenceRow, beside, write_figures, write_lines
from credit_signals.tuning.dataset.sampling import Sample, Sampler, SampleSettings
from credit_signals.tuning.dataset.store_source import store_candidates
from credit_signals.tuning.teacher import Split, split_of


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where a sample is written, and the folder of the questions whose template it is meant for."""

    out: Path
    questions: Path
    blind: Path | None = None

    @property
    def blind_path(self) -> Path:
        """The blind test split: the one named, else beside the sample."""
        return self.blind or beside(self.out, "test.jsonl")


def all_candidates(store: ResultsStore | None, run_id: str, files: Iterable[Path]) -> Iterable[Candidate]:
    """The sentences of the store, if there is one, then those of the files. Raises ConfigurationError, StoreError."""
    stored = store_candidates(store, run_id) if store else ()
    return itertools.chain(stored, *(file_candidates(path) for path in files))


def make_sample(candidates: Iterable[Candidate], settings: SampleSettings, files: SampleFiles) -> dict[str, Any]:
    """Draw and write a sample; gives its manifest.

    `out` gets the training and validation rows. The test rows of the first sample become the blind split; later samples
    leave it as it is and take nothing of its documents and nothing near to its sentences.
    Raises ConfigurationError when the blind split was changed, ModelRefused when the questions cannot be read.
    """
    blind = read_blind(files.blind_path, settings.seed)
    groups = {row.group for row in blind}

    def closed(group: str) -> bool:
        return bool(blind) and (group in groups or split_of(group, settings.seed) == "test")

    sample = Sampler(settings, (row.text for row in blind), closed).draw(candidates)
    rows = [_with_split(row, settings.seed) for row in sample.rows]
    test = [row for row in rows if _split(row) == "test"]
    if test:
        write_blind(files.blind_path, test, settings.seed)
    write_lines(files.out, (row.record() for row in rows if _split(row) != "test"))
    manifest = _manifest(sample, rows, settings, files)
    write_figures(beside(files.out, "manifest.json"), manifest)
    return manifest


def _with_split(row: SentenceRow, seed: int) -> SentenceRow:
    return row.model_copy(update={"split": split_of(row.group, seed)})


def _split(row: SentenceRow) -> Split:
    return (row.model_extra or {})["split"]  # type: ignore[no-any-return]  # set above


def _manifest(sample: Sample, rows: list[SentenceRow], settings: SampleSettings, files: SampleFiles) -> dict[str, Any]:
    blind = files.blind_path
    return {
        "settings": asdict(settings),
        "template_sha256": load_questions(files.questions).template.sha256,
        "candidates": sample.candidates,
        "near_duplicates_left_out": sample.near_duplicates,
        "of_blind_documents_left_out": sample.held_back,
        "sentences": len(rows),
        "random": sum(bool((row.model_extra or {})["random"]) for row in rows),
        "splits": dict(sorted(Counter(_split(row) for row in rows).items())),
        "languages": dict(Counter(row.lang or "unknown" for row in rows).most_common()),
        "codes": dict(sample.strata.most_common()),
        "sample": {"file": files.out.name, "sha256": file_hash(files.out)},
        "blind": {"file": blind.name, "sha256": file_hash(blind)} if blind.exists() else None,
    }
