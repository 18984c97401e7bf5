"""How well a trained model answers: single sentences read through the questions, as the generative reader asks them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from credit_signals.inference.asking import Question
from credit_signals.inference.prompting import Prompter, section_pieces, sentence_text, tokenize_pieces
from credit_signals.inference.questions import Questions, load_questions
from credit_signals.tuning.causal.encoding import Encoded, FolderTokenizer, collate, side_by_side
from credit_signals.tuning.metrics import Bools, code_metrics, gold_codes
from credit_signals.tuning.teacher import CODES, LabelledSentence

logger = logging.getLogger(__name__)

AT_ONCE = 16  # sentences in a batch
DETAILS = ("stance", "subject", "severity")


class Examinee:
    """A model folder that answers questions by one token each."""

    def __init__(self, folder: Path, questions: Questions) -> None:
        """Raises ModelRefused when the tokenizer cannot tell labels apart."""
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="sdpa"
        ).eval()
        self._tokenizer = FolderTokenizer(tokenizer, folder)
        self._questions = questions
        self.prompter = Prompter(self._tokenizer, questions)

    def text(self, sentence: LabelledSentence) -> tuple[int, ...]:
        """The tokens of a section of this sentence alone, its context as heading."""
        heading = [sentence.context] if sentence.context else []
        shown = section_pieces(self._questions.template, heading, [sentence_text(sentence.text)])
        return (*self.prompter.instruction(), *tokenize_pieces(self._tokenizer, shown))

    def answers(self, texts: Sequence[tuple[int, ...]], asked: Sequence[Sequence[Question]]) -> list[list[np.ndarray]]:
        """The probabilities of each question's labels, for each text's questions."""
        found: list[list[np.ndarray]] = []
        for start in range(0, len(texts), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            examples = [_lay(text, questions) for text, questions in zip(texts[part], asked[part], strict=True)]
            batch = collate(examples, 0)
            batch.pop("labels")
            with torch.inference_mode():
                logits = self._model(**batch).logits
            for row, (text, questions) in enumerate(zip(texts[part], asked[part], strict=True)):
                end = len(text) - 1
                found.append([])
                for question in questions:
                    end += len(question.tokens)
                    found[-1].append(logits[row, end, list(question.labels)].softmax(-1).numpy())
        return found


def _lay(text: tuple[int, ...], questions: Sequence[Question]) -> dict[str, list[int]]:
    rows = [
        Encoded((*text, *question.tokens), (False,) * (len(text) + len(question.tokens)), len(text))
        for question in questions
    ]
    (example,) = side_by_side(rows, len(text) + sum(len(question.tokens) for question in questions))
    return example


def examine(folder: Path, questions_folder: Path, sentences: Sequence[LabelledSentence]) -> dict[str, Any]:
    """Precision, recall and F1 per code as the reader would find them, and accuracy of the details of gold signals.

    An event counts as found when both its group and itself are answered yes. Raises ModelRefused.
    """
    questions = load_questions(questions_folder)
    examinee = Examinee(folder, questions)
    texts = [examinee.text(sentence) for sentence in sentences]
    found = _judge(examinee, questions, texts)
    figures = code_metrics(gold_codes(sentences), found)
    return figures | _details(examinee, questions, sentences, texts)


def _judge(examinee: Examinee, questions: Questions, texts: Sequence[tuple[int, ...]]) -> Bools:
    prompter = examinee.prompter
    asked = [prompter.judge(group.prompt) for group in questions.groups]
    asked += [prompter.judge(event.prompt) for group in questions.groups for event in group.event]
    yes = list(questions.details.judgement.labels).index("yes")
    found = np.zeros((len(texts), len(CODES)), dtype=bool)
    for row, answers in enumerate(examinee.answers(texts, [asked] * len(texts))):
        said = iter([bool(shares.argmax() == yes) for shares in answers])
        groups = [next(said) for _ in questions.groups]
        for group, there in zip(questions.groups, groups, strict=True):
            for event in group.event:
                found[row, CODES.index(event.code)] = next(said) and there
    return found


def _details(
    examinee: Examinee, questions: Questions, sentences: Sequence[LabelledSentence], texts: Sequence[tuple[int, ...]]
) -> dict[str, float]:
    events = {event.code: event.event for group in questions.groups for event in group.event}
    gold = [
        (text, label)
        for text, sentence in zip(texts, sentences, strict=True)
        for label in sentence.labels
        if label.code in events
    ]
    asked = [examinee.prompter.details(events[label.code], 1)[1:] for _, label in gold]
    right = dict.fromkeys(DETAILS, 0)
    for (_, label), answers in zip(gold, examinee.answers([text for text, _ in gold], asked), strict=True):
        for name, shares in zip(DETAILS, answers, strict=True):
            chosen = list(getattr(questions.details, name).labels)[int(shares.argmax())]
            right[name] += chosen == str(getattr(label, name))
    return {f"{name}_accuracy": round(count / max(1, len(gold)), 4) for name, count in right.items()}
