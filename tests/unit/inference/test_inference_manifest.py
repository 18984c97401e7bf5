"""Manifests and question files: what is wrong is named, and no model is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from credit_signals.errors import ModelRefused
from credit_signals.inference.manifest import load_manifest, reader_id
from credit_signals.inference.questions import load_questions
from credit_signals.taxonomy.signals import BY_CODE

QUESTIONS = Path(__file__).resolve().parents[3] / "workers/section_reader/questions"
SHA = "a" * 64
FILE = f'file = "m.gguf"\nsha256 = "{SHA}"\n'
GOOD = f'kind = "encoder"\nversion = "1"\n[model]\n{FILE}[heads]\n{FILE}'


def write(folder: Path, text: str) -> Path:
    """A manifest file."""
    path = folder / "reader.toml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    """A manifest can be moved together with its files."""
    manifest = load_manifest(write(tmp_path, GOOD))
    assert manifest.model.file == tmp_path / "m.gguf"
    assert manifest.knows("xx")
    assert manifest.knows("")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kind =", "not a manifest"),
        (GOOD.replace("encoder", "oracle"), "kind"),
        (GOOD.replace(SHA, "abc"), "sha256"),
        (GOOD.replace('version = "1"', "version = 1"), "version"),
        ("surprise = 1\n" + GOOD, "surprise"),
        (GOOD.split("[heads]", maxsplit=1)[0], "heads is missing"),
        (GOOD.replace("encoder", "generative"), "questions is missing"),
        ("threads = 0\n" + GOOD, "threads"),
    ],
)
def test_a_wrong_manifest_is_refused(text: str, named: str, tmp_path: Path) -> None:
    """The message names the file and the part."""
    with pytest.raises(ModelRefused, match=rf"reader\.toml.*{named}"):
        reader_id(write(tmp_path, text))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    """A path without a manifest is named."""
    with pytest.raises(ModelRefused, match=r"gone\.toml"):
        reader_id(tmp_path / "gone.toml")
    with pytest.raises(ModelRefused, match="no question file"):
        load_questions(tmp_path)


def test_the_id_loads_no_model() -> None:
    """Planning tasks needs the reader's id, and must not cost the loading of llama.cpp."""
    code = "import sys, credit_signals.inference; sys.exit('llama_cpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_code_has_a_question() -> None:
    """The shipped questions ask for each code of the taxonomy once."""
    questions = load_questions(QUESTIONS)
    codes = [event.code for group in questions.groups for event in group.event]
    assert sorted(codes) == sorted(BY_CODE)


@pytest.mark.parametrize(
    ("name", "old", "new", "named"),
    [
        ("law", 'code = "litigation"', 'code = "gossip"', "gossip"),
        ("law", 'code = "litigation"', 'code = "layoffs"', "twice"),
        ("law", "prompt =", "prompt", "law.toml"),
        ("details", "planned =", "someday =", "stance"),
        ("template", "instruction =", "text =", "instruction"),
    ],
)
def test_wrong_question_files_are_refused(name: str, old: str, new: str, named: str, tmp_path: Path) -> None:
    """The message names what is wrong with the questions."""
    for file in QUESTIONS.glob("*.toml"):
        text = file.read_text()
        (tmp_path / file.name).write_text(text.replace(old, new) if file.stem == name else text)
    with pytest.raises(ModelRefused, match=named):
        load_questions(tmp_path)
    (tmp_path / "template.toml").unlink()
    with pytest.raises(ModelRefused, match="template"):
        load_questions(tmp_path)
