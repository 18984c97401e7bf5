"""The command line stage by stage, on a sample site, an embedded Redis and the shipped reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from tests.sample_web.server import SampleWeb, load_faults
from typer.testing import CliRunner, Result

from credit_signals.children import end_child, free_port, start_child
from credit_signals.cli.commands import app
from credit_signals.report import results_schema
from credit_signals.task_queue import EmbeddedRedis

SAMPLE_WEB = Path(__file__).resolve().parents[2] / "sample_web"
DOMAIN = "harrowlea-castings.example"


def cli(*arguments: str | Path) -> Result:
    """A command that succeeds."""
    done = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "140"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings for one sample company, whose pages are crawled and queued."""
    folder = tmp_path_factory.mktemp("stages")
    head, first, *_ = (SAMPLE_WEB / "companies.csv").read_text().splitlines()
    (folder / "companies.csv").write_text(f"{head}\n{first}\nnowhere,Nowhere Ltd,,,,\n")
    web = SampleWeb(SAMPLE_WEB / "sites", load_faults(SAMPLE_WEB / "faults.toml"))
    with web, EmbeddedRedis(folder / "redis") as redis, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CREDIT_SIGNALS_")]:
            patch.delenv(name)
        patch.setenv("CREDIT_SIGNALS_DATA_DIR", str(folder / "data"))
        patch.setenv("CREDIT_SIGNALS_REDIS_URL", redis.url)
        patch.setenv("CREDIT_SIGNALS_CONNECT_TO", json.dumps(web.connect_to))
        patch.setenv("CREDIT_SIGNALS_MIN_DELAY", "0")
        yield folder


@pytest.fixture(scope="module")
def run_id(folder: Path) -> str:
    """The run, crawled without a queue."""
    done = cli("crawl", "--companies", folder / "companies.csv", "--allow-private-network", "--pages", "5")
    assert "line 3 rejected: " in done.output
    assert "read: 1" in done.output
    return done.output.splitlines()[-1]


def _work() -> None:
    command = [sys.executable, "-m", "credit_signals.cli", "work", "--burst"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def test_stages_one_by_one(folder: Path, run_id: str) -> None:
    """enqueue, work, score and report give a valid results file and pages."""
    queued = int(cli("enqueue").output.split()[0])
    assert queued > 0
    assert f"lag             {queued}" in cli("queue", "status").output
    assert cli("enqueue", "--run", run_id).output == "0 sections queued\n"
    _work()
    assert "length          0" in cli("queue", "status").output
    cli("score", "--json", folder / "results.json")
    results = json.loads((folder / "results.json").read_text())
    jsonschema.Draft202012Validator(results_schema()).validate(results)
    assert results["run_id"] == run_id
    assert [line["line"] for line in results["rejected"]] == [3]
    pages = Path(cli("report", "--out", folder / "pages").output.strip())
    assert (pages / "index.html").exists()
    page = folder / "one.html"
    assert cli("report", DOMAIN, "--out", page).output == f"{page}\n"
    assert page.read_text().startswith("<!doctype html>")


def test_graph_is_written_in_every_format(run_id: str) -> None:
    """The picture and GraphML are XML, the data is JSON."""
    assert ET.fromstring(cli("graph", DOMAIN).output).tag.endswith("svg")
    assert ET.fromstring(cli("graph", DOMAIN, "--format", "graphml").output).tag.endswith("graphml")
    assert json.loads(cli("graph", f"www.{DOMAIN}", "--format", "json").output)["nodes"]


def test_results_are_served(folder: Path, run_id: str) -> None:
    """`serve` answers with the latest run and is healthy."""
    port = free_port()
    output = (folder / "serve.log").open("wb")
    with output:
        child = start_child([sys.executable, "-m", "credit_signals.cli", "serve", "--port", str(port)], output=output)
    try:
        assert _get(port, "/healthz")
        cli("score")
        assert DOMAIN in _get(port, "/")
    finally:
        end_child(child)


def _get(port: int, path: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def test_dead_letters_are_shown_put_back_and_deleted(folder: Path, run_id: str) -> None:
    """What failed for good is listed with its page and reason; it can be tried again, or deleted after a question."""
    from credit_signals import settings, wiring
    from credit_signals.domain import SectionTask

    assert cli("queue", "dead").output == "no dead letters\n"
    with wiring.opened(settings.load()) as parts:
        (company,) = parts.store.companies(run_id)
        record = parts.store.site(run_id, company.id)
        assert record is not None
        parts.queue.put([SectionTask.build(record.sections[0], "a reader")])
        attempts = settings.load().queue_attempts
        for _ in range(attempts):
            (delivery,) = parts.queue.take(1, 5)
            parts.queue.fail(delivery, "the model [red]cannot[/red] read it")
    shown = cli("queue", "dead").output
    assert "[red]cannot[/red]" in " ".join(shown.split())
    assert cli("queue", "retry").output == "1 dead letters put back\n"
    with wiring.opened(settings.load()) as parts:
        for _ in range(attempts):
            (delivery,) = parts.queue.take(1, 5)
            parts.queue.fail(delivery, "again")
    refused = CliRunner().invoke(app, ["queue", "purge"], input="n\n")
    assert refused.exit_code == 1
    assert cli("queue", "purge", "--yes").output == "1 dead letters deleted\n"


def test_texts_are_read(folder: Path) -> None:
    """`read` answers each line in order with exact quotes; a bad line is answered too."""
    texts = ["Grüezi 🚀\nThe company filed for insolvency at the local court on Monday.", "We bake bread."]
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(texts)]
    (folder / "in.jsonl").write_text("\n".join([*lines, "{"]) + "\n", encoding="utf-8")
    cli("read", "--in", folder / "in.jsonl", "--out", folder / "out.jsonl")
    answers = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1, None]
    assert answers[2]["error"].startswith("line 3: ")
    for text, answer in zip(texts, answers, strict=False):
        for signal in answer["signals"]:
            evidence = signal["evidence"]
            assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
