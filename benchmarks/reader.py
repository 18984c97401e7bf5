"""How many sections one CPU-second reads: this project's batches against llama-cpp-python's own calls.

    python benchmarks/reader.py [--sections 24] [--shape tiny|smol] [--reader MANIFEST]

Encoder: sentences with their context in hand-made batches, against `Llama.embed` one by one on the same inputs.
Causal model (random weights, made on the spot): eight questions with one-token answers over shared memory, against
`Llama.create_chat_completion` with a JSON schema for the same eight answers, and against the ceiling: computing the
same new tokens at the same depth in one go, without asking anything. One thread; CPU time of this process.
"""

from __future__ import annotations

import argparse
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llama_cpp import Llama

from credit_signals.domain import PageRole, Section, Sentence
from credit_signals.errors import ModelRefused
from credit_signals.inference.asking import AT_ONCE, Asker, Question
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.llama import Context, ContextOptions, Model, Segment
from credit_signals.inference.opening import open_reader
from credit_signals.inference.prompting import Prompter
from credit_signals.inference.questions import Questions, load_questions

WORKER = Path(__file__).resolve().parents[1] / "workers/section_reader"
ENCODER = WORKER / "models/section-encoder.gguf"
MEMORY = 2048
STARTS = [
    "The company",
    "Our plant in Leeds",
    "A new director",
    "The board",
    "One of our suppliers",
    "The works council",
]
MIDDLES = ["announced", "expects", "has closed", "will open", "denied", "reported", "signed", "lost"]
ENDS = [
    "a contract with a large customer from the north of the country",
    "that forty jobs are to go before the end of the year",
    "higher sales than in the year before, as orders rose again",
    "a second factory for roofing tiles next to the old one",
]
SENTENCES = 10


def make_sections(count: int) -> list[Section]:
    """Sections of ten sentences that differ from each other."""
    source = random.Random(1)
    sections = []
    for number in range(count):
        text, sentences = "", []
        for place in range(1, SENTENCES + 1):
            start = len(text)
            middle = f"{source.choice(MIDDLES)} {source.choice(ENDS)}"
            text += f"{source.choice(STARTS)} {middle}, says note {number} of part {place}. "
            sentences.append(Sentence(number=place, start=start, end=len(text) - 1))
        url = f"https://a.example/{number}"
        values = {"company_id": "c", "url": url, "role": PageRole.NEWS, "language": "en", "heading_path": ("News",)}
        sections.append(Section.build(**values, text=text, sentences=tuple(sentences)))
    return sections


def seconds(work: Callable[[], object]) -> float:
    """CPU time of a call, after the garbage of the last one is gone."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def show(title: str, rows: Sequence[tuple[str, float]]) -> None:
    """A table: way, sections per CPU-second, ratio to the first row."""
    print(f"\n{title}\n{'way':52} {'sections/CPU-s':>15} {'ratio':>7}")
    for way, rate in rows:
        print(f"{way:52} {rate:15.2f} {rate / rows[0][1]:7.2f}")


def pairs_of(section: Section) -> list[tuple[str, str]]:
    """Context and text of every sentence."""
    texts = [section.quote(sentence.start, sentence.end) for sentence in section.sentences]
    return list(zip(["News", *texts], texts, strict=False))


def llama(path: Path, **options: Any) -> Any:
    """llama-cpp-python's own class."""
    return Llama(model_path=str(path), n_threads=1, n_threads_batch=1, verbose=False, **options)


def encoder_table(sections: Sequence[Section]) -> None:
    """Hand-made batches of all sentences against one call per sentence."""
    encoder = Encoder(ENCODER)
    encoder.embed_spans(pairs_of(sections[0]))
    pairs = [pair for section in sections for pair in pairs_of(section)]
    ours = seconds(lambda: encoder.embed_spans(pairs))
    encoder.close()
    plain = llama(ENCODER, embedding=True, n_ctx=512)
    plain.embed("warm")
    theirs = seconds(lambda: [plain.embed(f"{context} {text}") for context, text in pairs])
    plain.close()
    rows = [
        ("Llama.embed, one by one", len(sections) / theirs),
        ("this project: spans in batches", len(sections) / ours),
    ]
    show(f"Encoder, {ENCODER.name}, {SENTENCES} sentences a section", rows)


def ask_all(asker: Asker, texts: Sequence[Sequence[int]], asked: Sequence[Question]) -> None:
    """The same questions on every text."""
    for start in range(0, len(texts), AT_ONCE):
        batch = texts[start : start + AT_ONCE]
        asker.begin(batch)
        asker.ask([asked] * len(batch))


def prefill(model: Model, instruction: Sequence[int], lengths: Sequence[int]) -> float:
    """CPU time of computing so many new tokens behind the instruction, asking for one result each."""
    context = Context(model, ContextOptions(MEMORY, 1))
    context.run([Segment(instruction, (0,))])

    def work() -> None:
        for length in lengths:
            context.run([Segment([1 + place % 200 for place in range(length)], (0,), len(instruction), output=True)])
            context.forget(0, len(instruction))

    used = seconds(work)
    context.close()
    return used


def chat(path: Path, sections: Sequence[Section], questions: Questions) -> float:
    """CPU time of chat completions that answer the same questions in JSON."""
    keys = [f"q{number}" for number in range(len(questions.groups))]
    answer = {"type": "string", "enum": ["yes", "no"]}
    schema = {"type": "object", "properties": dict.fromkeys(keys, answer), "required": keys}
    asked = "\n".join(f"{key}: {group.prompt}" for key, group in zip(keys, questions.groups, strict=True))
    model = llama(path, n_ctx=MEMORY, flash_attn=True)

    def work(some: Sequence[Section]) -> None:
        for section in some:
            messages = [
                {"role": "system", "content": questions.template.instruction},
                {"role": "user", "content": f"{section.text}\n{asked}"},
            ]
            model.create_chat_completion(
                messages, response_format={"type": "json_object", "schema": schema}, temperature=0, max_tokens=128
            )

    work(sections[:1])
    used = seconds(lambda: work(sections))
    model.close()
    return used


def causal_table(path: Path, sections: Sequence[Section]) -> None:
    """One-token answers against chat and against the ceiling."""
    questions = load_questions(WORKER / "questions")
    model = Model(path)
    prompter = Prompter(model, questions)
    instruction = prompter.instruction()
    asker = Asker(model, instruction, MEMORY)
    texts = [prompter.split(section, asker.text_tokens)[0].tokens for section in sections]
    asked = [prompter.judge(group.prompt) for group in questions.groups]
    ask_all(asker, texts[:AT_ONCE], asked)
    ours = seconds(lambda: ask_all(asker, texts, asked))
    asker.close()
    new = sum(len(question.tokens) for question in asked)
    ceiling = prefill(model, instruction, [len(text) + new for text in texts])
    model.close()
    theirs = chat(path, sections, questions)
    title = f"Causal model, {path.name}: {len(instruction)} tokens of instruction, "
    title += f"{sum(map(len, texts)) // len(texts)} of section, {len(asked)} questions of {new // len(asked)}"
    rows = [
        ("Llama, chat completion with a JSON schema", theirs),
        ("this project: one-token answers, shared memory", ours),
        ("ceiling: the same new tokens, nothing asked", ceiling),
    ]
    show(title, [(way, len(sections) / used) for way, used in rows])


def reader_table(manifest: Path, sections: Sequence[Section]) -> None:
    """A whole reader, from sections to predictions."""
    start = time.perf_counter()
    reader = open_reader(manifest)
    opened = time.perf_counter() - start
    reader.read(sections[:1])
    used = seconds(lambda: reader.read(sections))
    found = sum(len(prediction.signals) for prediction in reader.read(sections))
    title = f"Reader {manifest.name}: opened in {opened:.2f} s, {found} signals, {memory()} for the process"
    show(title, [("sections to predictions", len(sections) / used)])
    reader.close()


def memory() -> str:
    """Proportional set size of this process, MiB."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return f"{kilobytes / 1024:.0f} MiB PSS"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=24, help="sections per measurement (default 24)")
    parser.add_argument("--shape", choices=["tiny", "smol"], default="smol", help="causal model (default smol: 134 M)")
    parser.add_argument("--reader", type=Path, default=WORKER / "encoder.toml", help="manifest of a whole reader")
    arguments = parser.parse_args()
    sections = make_sections(arguments.sections)
    try:
        reader_table(arguments.reader, sections)
    except ModelRefused as error:
        print(f"whole reader left out: {error}")
    encoder_table(sections)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{arguments.shape}.gguf"
        script = WORKER / "make_tiny_llama.py"
        subprocess.run([sys.executable, str(script), arguments.shape, str(path)], check=True, stdout=subprocess.DEVNULL)
        causal_table(path, sections)


if __name__ == "__main__":
    main()
