"""The whole life of a reader by one command, in small: from a crawled store to a worker that answers with it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.inference.reader_samples import make_section
from tests.integration.tuning.life_world import (
    SIGNS,
    STUB_MANIFEST,
    fill_store,
    local_teacher,
    make_base,
    make_causal_base,
    write_labels,
)
from typer.testing import CliRunner, Result

from credit_signals import pipeline, settings, wiring
from credit_signals.cli.commands import app
from credit_signals.domain import Company, SiteStatus, now
from credit_signals.inference.manifest import load_manifest, reader_id
from credit_signals.store.base import SiteRecord
from credit_signals.task_queue import MemoryQueue

for library in ("torch", "transformers", "sklearn", "gguf", "matplotlib"):
    pytest.importorskip(library, reason="training needs the extra `tune`")
pytest.importorskip("starlette_context", reason="the server of llama-cpp-python is not installed")

pytestmark = pytest.mark.timeout(900)  # a minute where nothing else runs
QUESTIONS = Path(__file__).parents[3] / "workers" / "section_reader" / "questions_short"


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A teacher of random weights on a server of its own."""
    with local_teacher(tmp_path_factory.mktemp("teacher")) as url:
        yield url


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with base, labels and a store of twelve crawled sites, and settings that name them."""
    for name in [name for name in os.environ if name.startswith("CREDIT_SIGNALS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "stub.toml").write_text(STUB_MANIFEST)
    monkeypatch.setenv("CREDIT_SIGNALS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CREDIT_SIGNALS_READER", str(tmp_path / "stub.toml"))
    (tmp_path / "data").mkdir()
    store = wiring.open_store(settings.load())
    fill_store(store)
    store.close()
    make_base(tmp_path / "base")
    write_labels(tmp_path / "labels.jsonl")
    return tmp_path


def live(world: Path, teacher: str, *more: str | Path, expected: int = 0) -> Result:
    """The command."""
    where = ["--endpoint", teacher, "--model", "tiny", "--form", "json_object", "--max-tokens", "200"]
    what = ["--base", world / "base", "--work", world / "life", "--labels", world / "labels.jsonl"]
    sizes = ["--count", "12", "--epochs", "3", "--rank", "4", "--threads", "1", "--no-grade"]
    arguments = ["tune", "life", *where, *what, *sizes, "--by", "a test", *more]
    done = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == expected, done.output
    return done


def stamp(world: Path, step: str) -> dict[str, object]:
    """What a step left."""
    found: dict[str, object] = json.loads((world / "life" / "steps" / f"{step}.json").read_text())
    return found


def read_by_worker(world: Path) -> Counter[str]:
    """A run opened now, queued and read by a worker; the codes found, and who found them."""
    chosen = settings.load()
    store, queue = wiring.open_store(chosen), MemoryQueue()
    company = Company(id="new", name="New", domain="new.example", url="http://new.example/")
    run = pipeline.open_run(store, pipeline.RunRequest([company]))
    sections = tuple(make_section([f"Copper kettle velvet {sign}"], company_id="new") for sign in SIGNS)
    record = SiteRecord(run.id, "new", SiteStatus.READ, "", 1, "en", now(), sections=sections)
    store.save_site(record)
    pipeline.enqueue_company(run, record, wiring.crawl_tools(chosen, store, queue))
    with wiring.open_shelf(chosen, store) as shelf:
        pipeline.work(queue, shelf, store, pipeline.WorkOptions(burst=True))
    found = Counter(each.reader_id for each in store.predictions(run.id, "new").values())
    found.update(signal.code for each in store.predictions(run.id, "new").values() for signal in each.signals)
    store.close()
    return found


def test_a_reader_is_made_put_to_work_and_taken_back_by_commands(world: Path, teacher: str) -> None:
    """Teacher, training, conversion, gate, promotion, a worker that answers with the new reader, and rollback."""
    told = live(world, teacher).output
    made = reader_id(world / "life" / "reader" / "reader.toml")
    assert f"reader {made} promoted: micro-F1" in told
    assert stamp(world, "label")["figures"]["labelled"] > 0  # type: ignore[index]
    assert "**Passed.**" in (world / "life" / "parity.md").read_text()
    assert made in (world / "life" / "reader" / "card.md").read_text()
    found = read_by_worker(world)
    assert found[made] == len(SIGNS)
    assert (found["layoffs"], found["hiring"]) == (1, 1)
    before = {name: stamp(world, name)["at"] for name in ("sample", "label", "train", "export", "evaluate", "promote")}
    assert "promoted" in live(world, teacher).output
    assert {name: stamp(world, name)["at"] for name in before} == before, "nothing is done twice"
    done = CliRunner().invoke(app, ["readers", "rollback", "--reason", "a test"])
    assert done.exit_code == 0, done.output
    store = wiring.open_store(settings.load())
    assert store.present_reader() is None
    store.close()


def test_a_causal_model_takes_the_same_way(world: Path, teacher: str) -> None:
    """Rows of the product's questions, training, merging, conversion, the gate on labels; registered alone."""
    for library in ("peft", "trl", "datasets"):
        pytest.importorskip(library, reason="training needs the extra `tune`")
    base = make_causal_base(world / "causal", QUESTIONS)
    write_labels(world / "labels.jsonl", documents=40)
    what = ("--causal", "--base", base, "--questions", QUESTIONS, "--epochs", "1", "--type", "F16", "--no-promote")
    told = live(world, teacher, *what).output
    made = reader_id(world / "life" / "reader" / "reader.toml")
    assert f"reader {made} is registered" in told
    assert load_manifest(world / "life" / "reader" / "reader.toml").kind == "generative"
    store = wiring.open_store(settings.load())
    assert [each.id for each in store.readers()] == [made]
    assert store.present_reader() is None
    store.close()
