"""The sentences that readers are measured on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from credit_signals.domain import content_id
from credit_signals.errors import ConfigurationError
from credit_signals.tuning.dataset.blind import manifest_of, read_blind
from credit_signals.tuning.languages import language_of
from credit_signals.tuning.teacher import LabelledSentence, Split, by_split, load_teacher


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Where labelled sentences are: `split` are divided by `seed`, of `blind` every sentence is tested."""

    split: tuple[Path, ...] = ()  # files, or folders: their website_*.jsonl where there are any, else all *.jsonl
    blind: tuple[Path, ...] = ()
    seed: int = 1


@dataclass(frozen=True, slots=True)
class TestSplit:
    """Sentences to test, their language stated or identified; `learned` are those that a baseline may learn from."""

    sentences: tuple[LabelledSentence, ...]
    learned: dict[Split, list[LabelledSentence]]
    data_hash: str

    __test__ = False  # not a test case, whatever its name


def load_split(files: LabelledFiles) -> TestSplit:
    """The test split of the files. Raises ConfigurationError for a file that is wrong, or when nothing is to be tested.

    A blind split with a manifest beside it is checked against it.
    """
    for path in files.blind:
        if manifest_of(path).exists():
            read_blind(path, files.seed)
    parts = by_split(load_teacher(_files(files.split)), files.seed)
    tested = [*parts["test"], *load_teacher(_files(files.blind))]
    if not tested:
        raise ConfigurationError("no sentence is in the test split: name labelled sentences that hold one")
    sentences = tuple(replace(sentence, language=language_of(sentence)) for sentence in tested)
    ids = {sentence.id for sentence in sentences}
    if len(ids) != len(sentences):
        raise ConfigurationError("two sentences of the test split have the same id")
    groups = {sentence.group for sentence in sentences}
    learned: dict[Split, list[LabelledSentence]] = {
        name: [sentence for sentence in parts[name] if sentence.group not in groups] for name in ("train", "validation")
    }
    return TestSplit(sentences, learned, data_hash(sentences))


def _files(paths: Iterable[Path]) -> list[Path]:
    return [file for path in paths for file in (_in_folder(path) if path.is_dir() else [path])]


def _in_folder(folder: Path) -> list[Path]:
    return sorted(folder.glob("website_*.jsonl")) or sorted(folder.glob("*.jsonl"))


def data_hash(sentences: Sequence[LabelledSentence]) -> str:
    """A hash of all that is asked and all that is gold; equal splits have equal ones."""
    return content_id(*(part for sentence in sentences for part in _parts(sentence)))


def _parts(sentence: LabelledSentence) -> tuple[str, ...]:
    labels = [f"{each.code} {each.stance} {each.subject} {each.severity}" for each in sentence.labels]
    return (sentence.id, sentence.group, sentence.language, sentence.context, sentence.text, "\n".join(labels))


def kind_of(group: str) -> str:
    """The kind of source that a document is from: what stands before the slash, or `written` for made-up sentences."""
    return group.split("/", maxsplit=1)[0] if "/" in group else "written"
