"""Rows as tokens: what has a loss, and questions side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.tuning.causal.toy_reader import QUESTIONS

from credit_signals.errors import ConfigurationError
from credit_signals.inference.prompting import Prompter
from credit_signals.inference.questions import load_questions
from credit_signals.tuning.chat import ChatRow, Message, read_rows

pytest.importorskip("torch", reason="training needs the extra `tune`")
pytest.importorskip("trl", reason="training needs the extra `tune`")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from credit_signals.tuning.causal.encoding import (
    IGNORED,
    Encoded,
    FolderTokenizer,
    collate,
    encode,
    one_by_one,
    side_by_side,
)
from credit_signals.tuning.causal.examples import lays_side_by_side

CHAT = (
    "{% for m in messages %}<|im|>{{ m.role }}\n{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Any:
    """The tiny model's tokenizer."""
    return AutoTokenizer.from_pretrained(tiny_base)


def chat(*contents: str) -> ChatRow:
    """A chat, user first."""
    roles = ("user", "assistant")
    messages = tuple(Message.model_validate({"role": roles[n % 2], "content": c}) for n, c in enumerate(contents))
    return ChatRow(id="c", group="g", split="train", messages=messages)


def learned(encoded: Encoded, tokenizer: Any) -> str:
    """The text that has a loss."""
    pairs = zip(encoded.tokens, encoded.learned, strict=True)
    text: str = tokenizer.decode([token for token, wanted in pairs if wanted])
    return text


def test_only_answers_are_learned(tokenizer: Any, tiny_base: Path, toy_rows: Path) -> None:
    """Of a question's row the label alone has a loss, and it is one token."""
    for row in read_rows(toy_rows)[:200]:
        encoded = encode(row, tokenizer, tiny_base)
        assert learned(encoded, tokenizer) == row.messages[-1].content
        assert sum(encoded.learned) == 1


def test_every_answer_of_a_chat_is_learned(tokenizer: Any, tiny_base: Path) -> None:
    """In a conversation each answer has a loss, with and without a chat template, and no question has."""
    row = chat("Who closed?", "The shop.", "When?", "In May.")
    assert learned(encode(row, tokenizer, tiny_base), tokenizer) == "The shop.<|end|>In May.<|end|>"
    tokenizer.chat_template = CHAT
    try:
        assert learned(encode(row, tokenizer, tiny_base), tokenizer) == "The shop.\nIn May.\n"
    finally:
        tokenizer.chat_template = None


def test_a_template_that_rewrites_history_is_refused(tokenizer: Any, tiny_base: Path) -> None:
    """A template that drops earlier answers would put the loss on the wrong tokens: the row is named."""
    tokenizer.chat_template = "{{ messages[-1].content }}"
    try:
        with pytest.raises(ConfigurationError, match="row c: the chat template rewrites"):
            encode(chat("Who closed?", "The shop."), tokenizer, tiny_base)
    finally:
        tokenizer.chat_template = None


def test_training_reads_the_tokens_of_serving(tokenizer: Any, tiny_base: Path, toy_rows: Path) -> None:
    """A row's tokens are those that the reader's prompter makes, and the answer is one of its labels."""
    prompter = Prompter(FolderTokenizer(tokenizer, tiny_base), load_questions(QUESTIONS))
    row = next(
        row for row in read_rows(toy_rows) if row.id.endswith("/insolvency") and "yes" in row.messages[-1].content
    )
    encoded = encode(row, tokenizer, tiny_base)
    question = prompter.judge("<|is:insolvency|>")
    start = prompter.instruction()
    assert list(encoded.tokens[: len(start)]) == start
    assert encoded.tokens[encoded.shared : -1] == question.tokens
    assert len(question.tokens) == 1
    assert encoded.tokens[-1] == question.labels[0]


def test_special_tokens_in_a_website_stay_text(tokenizer: Any, tiny_base: Path) -> None:
    """A page that writes a special token asks no question with it."""
    (special,) = FolderTokenizer(tokenizer, tiny_base).tokenize("<|is:hiring|>", special=True)
    assert special not in FolderTokenizer(tokenizer, tiny_base).tokenize("<|is:hiring|>")


def test_side_by_side_is_as_alone(tokenizer: Any, tiny_base: Path, toy_rows: Path) -> None:
    """Every answer has the same logits beside other questions, and padded, as in a sequence of its own."""
    model = AutoModelForCausalLM.from_pretrained(tiny_base, attn_implementation="sdpa").eval()
    rows = [encode(row, tokenizer, tiny_base) for row in read_rows(toy_rows)[:30]]

    def answers(examples: list[dict[str, list[int]]]) -> Any:
        batch = collate(examples, 0)
        wanted = batch.pop("labels") != IGNORED
        with torch.inference_mode():
            logits = model(**batch).logits
        return logits[:, :-1][wanted[:, 1:]]

    together = answers(list(side_by_side(rows, 512)))
    alone = torch.cat([answers([example]) for example in one_by_one(rows, 512)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert len(list(side_by_side(rows, 512))) < len(rows) / 3


def test_a_model_that_ignores_the_mask_is_noticed(tokenizer: Any, tiny_base: Path, toy_rows: Path) -> None:
    """Questions are laid side by side only where the model's attention keeps them apart."""
    rows = [encode(row, tokenizer, tiny_base) for row in read_rows(toy_rows)[:30]]
    model = AutoModelForCausalLM.from_pretrained(tiny_base, attn_implementation="sdpa")
    assert lays_side_by_side(model, rows)
    forward = model.forward
    model.forward = lambda **batch: forward(**{k: v for k, v in batch.items() if k != "attention_mask"})
    assert not lays_side_by_side(model, rows)


def test_long_rows_are_split_or_cut() -> None:
    """No example is longer than the limit; a text is cut at its front, never its question."""
    rows = [Encoded((*range(20), 30 + n, 50), (False,) * 21 + (True,), 20) for n in range(9)]
    examples = list(side_by_side(rows, 26))
    assert [len(example["input_ids"]) for example in examples] == [26, 26, 26]
    (cut,) = side_by_side(rows[:1], 10)
    assert cut["input_ids"] == [*range(12, 20), 30, 50]
    assert list(side_by_side([Encoded((1, 2, 3), (False, False, True), 0)], 2)) == []
