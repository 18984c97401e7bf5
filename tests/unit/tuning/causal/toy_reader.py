"""A toy task for generative readers, and a very small base model that can learn it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from credit_signals.inference.questions import load_questions
from credit_signals.tuning.causal.interviews import RowSettings, make_rows
from credit_signals.tuning.chat import write_rows
from credit_signals.tuning.teacher import Label, LabelledSentence

QUESTIONS = Path("workers/section_reader/questions_short")
TOWNS = ("Oakham", "Pell", "Harrow", "Marl", "Stow", "Leigh", "Brack", "Tarn", "Wick", "Holt")
EVENTS = {
    "insolvency": "Administrators were appointed over {town} Ltd.",
    "hiring": "We are hiring fitters in {town}.",
    "": "Our shop in {town} opens at nine.",
}


def toy_sentences(count: int) -> list[LabelledSentence]:
    """Sentences of two events and of none, each a document of its own."""
    sentences = []
    for number in range(count):
        code = list(EVENTS)[number % len(EVENTS)]
        text = EVENTS[code].format(town=TOWNS[number % len(TOWNS)] + str(number))
        labels = (Label(code, "occurred", "company", 2),) if code else ()
        sentences.append(LabelledSentence(f"s{number}", f"s{number}", "en", "News", text, labels))
    return sentences


def write_toy_rows(path: Path) -> None:
    """Rows of the toy task."""
    write_rows(path, make_rows(toy_sentences(150), load_questions(QUESTIONS), RowSettings(negatives=6)))


def make_tiny_base(folder: Path) -> None:
    """A random Llama model of two layers and its tokenizer. Needs torch and transformers."""
    import torch

    from credit_signals.tuning.causal.pretrain import PretrainSettings, make_model
    from credit_signals.tuning.causal.texts import END, train_tokenizer

    tokenizer: Any = train_tokenizer([sentence.text for sentence in toy_sentences(60)], 640, QUESTIONS)
    torch.manual_seed(0)
    settings = PretrainSettings(layers=2, vocabulary=640, context=128)
    make_model(settings, tokenizer.convert_tokens_to_ids(END)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
