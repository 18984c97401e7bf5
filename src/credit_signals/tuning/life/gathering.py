"""From the store to labelled sentences: sample, label, grade, dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from credit_signals.domain import content_id
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.comparison import LEAST_DOCUMENTS
from credit_signals.tuning.dataset.blind import read_blind
from credit_signals.tuning.dataset.candidates import Candidate
from credit_signals.tuning.dataset.rows import SentenceRow, read_sentences, write_lines
from credit_signals.tuning.labelling.asking import Limits
from credit_signals.tuning.labelling.endpoint import Endpoint
from credit_signals.tuning.labelling.grade import grade
from credit_signals.tuning.labelling.label import Teacher, label
from credit_signals.tuning.labelling.ledger import Prices
from credit_signals.tuning.life.course import Figures, Life, Step
from credit_signals.tuning.teacher import SPLITS, LabelledSentence, Split, by_split, load_teacher, split_of

PARTS = ("", ".test")  # of the sample: training with validation, and the blind test


def _sample(life: Life) -> Figures:
    from credit_signals.tuning.dataset.make import SampleFiles, all_candidates, make_sample
    from credit_signals.tuning.dataset.sampling import SampleSettings

    plan, blind = life.plan, life.folder.blind(life.plan)
    settings = SampleSettings(plan.sample.count, plan.sample.random_share, seed=plan.model.seed)
    blind.parent.mkdir(parents=True, exist_ok=True)
    with life.tools.store() as store:
        known = _of_languages(all_candidates(store, plan.sample.run, ()), plan.model.languages)
        manifest = make_sample(known, settings, SampleFiles(life.folder.sample, plan.model.questions, blind))
    tested = read_blind(blind, plan.model.seed)
    documents = len({row.group for row in tested} | _further_test_documents(life))
    if plan.promotion.promote and documents < LEAST_DOCUMENTS:
        raise ConfigurationError(
            f"{documents} companies or documents are in the test split, and {LEAST_DOCUMENTS} are needed to judge a "
            "reader: crawl more companies, take a larger sample, name labelled sentences, or ask for no promotion"
        )
    line = f"{manifest['sentences']} sentences of {manifest['candidates']}; {documents} documents to test on"
    return {"line": line, "documents_to_test": documents, **manifest}


def _of_languages(candidates: Iterable[Candidate], languages: Sequence[str]) -> Iterator[Candidate]:
    return (each for each in candidates if not each.row.lang or not languages or each.row.lang in languages)


def _further_test_documents(life: Life) -> set[str]:
    seed = life.plan.model.seed
    split = {each.group for each in load_teacher(life.plan.labels) if each.split(seed) == "test"}
    return split | {each.group for each in load_teacher(life.plan.tests)}


def _teacher(life: Life) -> Teacher:
    asked = life.plan.teacher
    endpoint = Endpoint(asked.endpoint, asked.model, life.tools.key, asked.form, asked.most_tokens)
    limits = Limits(asked.at_once, Prices(asked.prompt_price, asked.answer_price), asked.budget)
    cache = asked.cache or life.folder.file("answers.db")
    cache.parent.mkdir(parents=True, exist_ok=True)
    return Teacher(endpoint, limits, cache)


def _label(life: Life) -> Figures:
    sources = (life.folder.sample, life.folder.blind(life.plan))
    totals = _over_parts(life, "labels", label, sources)
    if not totals["labelled"]:
        raise ConfigurationError(f"none of {totals['sentences']} sentences got a valid label; see labels.failed.jsonl")
    line = f"{totals['labelled']} of {totals['sentences']} sentences labelled, {totals['asked']} questions asked"
    return {"line": f"{line}, {totals['dollars']:.2f} dollars so far", **totals}


def _grade(life: Life) -> Figures:
    labelled = [life.folder.file(f"labels{part}.jsonl") for part in PARTS]
    if not life.plan.teacher.grade:
        for part, path in zip(PARTS, labelled, strict=True):
            life.folder.file(f"graded{part}.jsonl").write_bytes(path.read_bytes())
        return {"line": "not asked for: every label is kept"}
    totals = _over_parts(life, "graded", grade, labelled)
    line = f"{totals['kept']} of {totals['sentences']} sentences kept, {totals['review']} for a person to review"
    return {"line": line, **totals}


def _over_parts(life: Life, name: str, work: Any, sources: Sequence[Path]) -> dict[str, Any]:
    """Label or grade both parts of the sample; the sums. Raises ConfigurationError when it stopped before the end."""
    totals: Counter[str] = Counter()
    dollars = 0.0
    for part, source in zip(PARTS, sources, strict=True):
        out = life.folder.file(f"{name}{part}.jsonl")
        if not source.exists():  # no document of the sample fell into the test split
            write_lines(out, ())
            continue
        figures = work(source, out, _teacher(life))
        totals.update({key: value for key, value in figures.items() if isinstance(value, int)})
        dollars = sum(row["dollars"] for row in figures["ledger"])
        if figures["stopped"]:
            raise ConfigurationError(f"{figures['stopped']}; the same command goes on and asks nothing twice")
    return {**totals, "dollars": round(dollars, 4)}


def _dataset(life: Life) -> Figures:
    from credit_signals.tuning.dataset.near_duplicates import NearDuplicates

    plan, seed = life.plan, life.plan.model.seed
    read_blind(life.folder.blind(plan), seed)
    rows = [row for path in _labelled_files(life) for row in read_sentences(path)]
    tested = NearDuplicates()
    for row in [each for each in rows if split_of(each.group, seed) == "test"]:
        tested.add(row.text)
    for sentence in load_teacher(plan.tests):
        tested.add(sentence.text)
    kept = [row for row in rows if split_of(row.group, seed) == "test" or not tested.knows(row.text)]
    write_lines(life.folder.sentences, (row.record() for row in _once(kept)))
    parts = by_split(load_teacher([life.folder.sentences]), seed)
    parts["test"] += load_teacher(plan.tests)
    for name in SPLITS:
        _require_gold(name, parts[name])
    counts: Figures = {name: len(parts[name]) for name in SPLITS}
    near = len(rows) - len(kept)
    line = ", ".join(f"{counts[name]} {name}" for name in SPLITS)
    return {"line": f"{line}; {near} near to test sentences left out", **counts, "near_to_test": near}


def _labelled_files(life: Life) -> list[Path]:
    return [*(life.folder.file(f"graded{part}.jsonl") for part in PARTS), *life.plan.labels]


def _once(rows: Iterable[SentenceRow]) -> Iterator[SentenceRow]:
    """Each text after its context once, ids made unique: files of several hands may number alike."""
    seen: set[tuple[str, str]] = set()
    ids: set[str] = set()
    for row in rows:
        if (row.prev, row.text) not in seen:
            seen.add((row.prev, row.text))
            name = content_id(row.id, row.src, row.text) if row.id in ids else row.id
            ids.add(name)
            yield row.model_copy(update={"id": name, "src": row.group})


def _require_gold(name: Split, sentences: Sequence[LabelledSentence]) -> None:
    if not any(sentence.labels for sentence in sentences):
        raise ConfigurationError(
            f"none of the {len(sentences)} sentences for {name} states a signal: take a larger sample, or name "
            "labelled sentences"
        )


SAMPLE = Step(
    "sample",
    _sample,
    lambda life: (life.plan.sample.model_dump_json(), life.plan.model.model_dump_json(include={"seed", "languages"})),
    lambda life: (path for path in (life.folder.sample, life.folder.blind(life.plan)) if path.exists()),
)
LABEL = Step(
    "label",
    _label,
    lambda life: (
        life.plan.teacher.model_dump_json(include={"endpoint", "model", "form", "most_tokens"}),
        *(path for path in (life.folder.sample, life.folder.blind(life.plan)) if path.exists()),
    ),
    lambda life: (life.folder.file(f"labels{part}.jsonl") for part in PARTS),
)
GRADE = Step(
    "grade",
    _grade,
    lambda life: (
        life.plan.teacher.model_dump_json(include={"endpoint", "model", "form", "most_tokens", "grade"}),
        *(life.folder.file(f"labels{part}.jsonl") for part in PARTS),
    ),
    lambda life: (life.folder.file(f"graded{part}.jsonl") for part in PARTS),
)
DATASET = Step(
    "dataset",
    _dataset,
    lambda life: (str(life.plan.model.seed), *_labelled_files(life), "tests", *life.plan.tests),
    lambda life: (life.folder.sentences,),
)
