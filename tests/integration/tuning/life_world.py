"""What a reader's life needs, in small: a store with crawled sites, labelled sentences, a base model, a teacher."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.integration.inference.reader_samples import make_section

from credit_signals import pipeline
from credit_signals.domain import Company, SiteStatus, now
from credit_signals.store.base import ResultsStore, SiteRecord

MAKE_LLAMA = Path(__file__).parents[3] / "workers" / "section_reader" / "make_tiny_llama.py"
_WORDS = """
bakery bridge canal castle cattle cellar chapel copper corner cotton desert dragon engine fabric farmer garden glass
harbour hammer island jacket kettle ladder lantern leather market meadow mirror mountain needle orchard paper pepper
pillow planet pocket pottery quarry rabbit ribbon river saddle salmon silver spring station summer sugar tailor temple
timber tunnel valley velvet village violin wagon walnut window winter
"""
WORDS = _WORDS.split()
SIGNS = {"!": "layoffs", "?": "hiring", ".": ""}  # punctuation tells the code: a baseline of words cannot know
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

STUB_MANIFEST = """kind = "encoder"
version = "stub"
model = {{ file = "none.gguf", sha256 = "{0}" }}
heads = {{ file = "none.npz", sha256 = "{0}" }}
""".format("0" * 64)


def sentence(dice: random.Random, sign: str) -> str:
    """Seven words and the sign that tells what they state."""
    return f"{' '.join(dice.sample(WORDS, 7)).capitalize()} {sign}"


def fill_store(store: ResultsStore, companies: int = 12, sections: int = 1) -> None:
    """A finished crawl of so many sites, three sentences in each section."""
    dice = random.Random(7)
    listed = [
        Company(id=f"c{n}", name=f"Company {n}", domain=f"c{n}.example", url=f"http://c{n}.example/")
        for n in range(companies)
    ]
    run = pipeline.open_run(store, pipeline.RunRequest(listed))
    for company in listed:
        made = tuple(
            make_section([sentence(dice, sign) for sign in SIGNS], company_id=company.id, heading_path=("News",))
            for _ in range(sections)
        )
        store.save_site(SiteRecord(run.id, company.id, SiteStatus.READ, "", 1, "en", now(), sections=made))


def write_labels(path: Path, documents: int = 260) -> Path:
    """Sentences labelled by a hand that knows the signs, two in each document."""
    dice = random.Random(11)
    lines = []
    for number in range(2 * documents):
        sign = dice.choice(list(SIGNS))
        told = {"code": SIGNS[sign], "stance": "occurred", "subject": "company", "severity": 2}
        row = {"id": f"hand-{number}", "src": f"hand/{number // 2}", "lang": "en", "prev": "News"}
        lines.append(json.dumps({**row, "text": sentence(dice, sign), "signals": [told] if SIGNS[sign] else []}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_base(folder: Path) -> Path:
    """A BERT of two layers with random weights that knows the words and signs; needs torch."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir()
    torch.manual_seed(0)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = [*SPECIAL, *WORDS, *SIGNS, "news", *letters, *(f"##{letter}" for letter in letters)]
    shape = {"hidden_size": 384, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 384}
    BertModel(BertConfig(vocab_size=len(tokens), **shape), add_pooling_layer=False).save_pretrained(folder)
    BertTokenizerFast(vocab={token: number for number, token in enumerate(tokens)}).save_pretrained(folder)
    return folder


def make_causal_base(folder: Path, questions: Path) -> Path:
    """A Llama model of one layer with random weights and a tokenizer of the words; needs torch."""
    import torch

    from credit_signals.tuning.causal.pretrain import PretrainSettings, make_model
    from credit_signals.tuning.causal.texts import END, train_tokenizer

    dice = random.Random(3)
    tokenizer = train_tokenizer([sentence(dice, sign) for _ in range(30) for sign in SIGNS], 640, questions)
    torch.manual_seed(0)
    settings = PretrainSettings(layers=1, vocabulary=640, context=512)
    make_model(settings, tokenizer.convert_tokens_to_ids(END)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def local_teacher(folder: Path) -> Iterator[str]:
    """The base URL of llama-cpp-python's own server with the model `tiny`, of random weights."""
    model = folder / "tiny.gguf"
    subprocess.run([sys.executable, MAKE_LLAMA, "tiny", model], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--model", str(model), "--model_alias", "tiny"]
    sizes = ["--n_ctx", "2048", "--n_threads", "1", "--n_threads_batch", "1"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "llama_cpp.server", *options, *sizes], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        _wait_until_ready(server, url, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert server.poll() is None, f"the server ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < deadline, f"the server is not ready: {log.read_text()[-2000:]}"
        try:
            if httpx.get(f"{url}/models", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
