"""A generative reader from training to reading: llama.cpp serves what was trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.inference.reader_samples import make_section
from tests.unit.tuning.causal.toy_reader import QUESTIONS, make_tiny_base, toy_sentences, write_toy_rows

from credit_signals.inference.generative_reader import GenerativeReader
from credit_signals.inference.llama import Model
from credit_signals.inference.manifest import Manifest, ModelFile, QuestionFolder
from credit_signals.inference.model_file import file_hash
from credit_signals.inference.prompting import Prompter, section_pieces, tokenize_pieces
from credit_signals.inference.questions import load_questions

pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("trl", reason="training needs the extra `tune`")
pytest.importorskip("gguf", reason="conversion needs the extra `tune`")

from transformers import AutoTokenizer

from credit_signals.tuning.causal.encoding import FolderTokenizer
from credit_signals.tuning.causal.fine_tune import CausalSettings, CausalSources, fine_tune
from credit_signals.tuning.conversion.convert import convert_model
from credit_signals.tuning.conversion.identity import Identity
from credit_signals.tuning.conversion.model_folder import SourceModel

SETTINGS = CausalSettings(rank=0, epochs=6, rate=2e-3, batch=8, every=15, bf16=False, patience=50)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that has learned the toy task, and beside it the same as GGUF."""
    folder = tmp_path_factory.mktemp("serving")
    make_tiny_base(folder / "base")
    write_toy_rows(folder / "rows.jsonl")
    card = fine_tune(CausalSources(folder / "base", folder / "rows.jsonl", folder / "out", QUESTIONS), SETTINGS)
    merged = folder / "out" / "merged"
    identity = Identity(name="toy", template_sha256=card["template_sha256"], data_sha256=card["data_sha256"])
    convert_model(SourceModel.read(merged), merged / "model.gguf", identity)
    return merged


def test_llama_cpp_makes_the_tokens_of_training(trained: Path) -> None:
    """Instruction, section and questions are the same tokens in the folder and in the GGUF."""
    questions = load_questions(QUESTIONS)
    folder = FolderTokenizer(AutoTokenizer.from_pretrained(trained), trained)
    with Model(trained / "model.gguf") as model:
        one, other = Prompter(folder, questions), Prompter(model, questions)
        assert one.instruction() == other.instruction()
        events = [event for group in questions.groups for event in group.event]
        assert [one.judge(e.prompt) for e in events] == [other.judge(e.prompt) for e in events]
        assert one.details(events[0].event, 4) == other.details(events[0].event, 4)
        texts = [sentence.text for sentence in toy_sentences(9)] + ["Größe: 5 € <|is:hiring|>\u2028 end  10,000 it's"]
        pieces = section_pieces(questions.template, ["News", "2024"], texts)
        assert tokenize_pieces(folder, pieces) == tokenize_pieces(model, pieces)


def test_the_reader_finds_what_the_model_was_taught(trained: Path) -> None:
    """Sections never seen are read right by the worker's reader, with stance, subject, severity and the sentence."""
    file = trained / "model.gguf"
    manifest = Manifest(
        kind="generative",
        version="1",
        model=ModelFile(file=file, sha256=file_hash(file)),
        questions=QuestionFolder(folder=QUESTIONS),
    )
    unseen = toy_sentences(240)[180:]
    reader = GenerativeReader(manifest)
    try:
        sections = [make_section([sentence.text], heading_path=("News",)) for sentence in unseen]
        predictions = reader.read(sections)
    finally:
        reader.close()
    found = [
        [(s.code, str(s.stance), str(s.subject), s.severity, s.sentence) for s in prediction.signals]
        for prediction in predictions
    ]
    wanted = [[(x.code, x.stance, x.subject, x.severity, 1) for x in sentence.labels] for sentence in unseen]
    right = sum(one == other for one, other in zip(found, wanted, strict=True))
    assert right >= 0.9 * len(unseen)
