"""Two small readers of one base model, files about them, and settings for a store and a queue of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from tests.integration.inference.reader_samples import SHIPPED, make_heads
from typer.testing import CliRunner, Result

from credit_signals.cli.commands import app
from credit_signals.inference.encoder import Encoder
from credit_signals.inference.formats import SignalHeads
from credit_signals.inference.manifest import reader_id, write_encoder_manifest
from credit_signals.task_queue import EmbeddedRedis
from credit_signals.tuning.answers import BASELINE, Answers, save_answers
from credit_signals.tuning.teacher import CODES


@dataclass(frozen=True)
class Bench:
    """A folder with readers `a`, `b` and `c`, made to find ever more, and what is known of them."""

    folder: Path

    def manifest(self, name: str) -> Path:
        """A reader's manifest."""
        return self.folder / name / "reader.toml"

    def id(self, name: str) -> str:
        """A reader's id; that of an empty name is the baseline's."""
        return reader_id(self.manifest(name)) if name else BASELINE

    def answers(self, name: str, quality: float, cost: float = 0.1) -> Path:
        """A file of answers of which a share is right."""
        rows = 200
        gold = np.zeros((rows, len(CODES)), dtype=bool)
        gold[np.arange(rows), np.arange(rows) % 4] = True
        found = np.where(np.arange(rows)[:, None] % 100 < 100 * quality, gold, np.roll(gold, 1, axis=1))
        path = self.folder / f"answers-{name or 'baseline'}-{quality}.jsonl"
        ids = tuple(f"s{row}" for row in range(rows))
        groups = tuple(f"d{row // 4}" for row in range(rows))
        save_answers(Answers(self.id(name), "split", cost, ids, groups, ("en",) * rows, gold, found), path)
        return path

    def register(self, name: str) -> str:
        """Register a reader by the command line; its id."""
        (self.folder / "card.md").write_text(f"# Reader {name}\nMade for a test.\n")
        (self.folder / "metrics.json").write_text(json.dumps({"micro_f1": 0.5}))
        files = ("--card", self.folder / "card.md", "--metrics", self.folder / "metrics.json", "--data-hash", "made-up")
        return cli("readers", "register", self.manifest(name), *files).output.splitlines()[-1]

    def promote(self, name: str, over: str, expected: int = 0) -> Result:
        """Promote a reader by the command line, on answers that are better by far."""
        files = ("--answers", self.answers(name, 0.9), "--answers", self.answers(over, 0.5))
        return cli("readers", "promote", self.id(name), *files, "--by", "a test", expected=expected)


def cli(*arguments: str | Path, expected: int = 0) -> Result:
    """A command that ends with the expected exit code."""
    done = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == expected, done.output
    return done


@pytest.fixture(scope="session")
def heads() -> SignalHeads:
    """The heads of all readers, but for their thresholds."""
    encoder = Encoder(SHIPPED)
    made = make_heads(encoder)
    encoder.close()
    return made


@pytest.fixture
def bench(heads: SignalHeads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Readers a, b and c; a is that of the settings. The store is empty, the queue a Redis of the test's own."""
    for name, threshold in {"a": 0.9, "b": 0.5, "c": 0.1}.items():
        (tmp_path / name).mkdir()
        replace(heads, threshold=np.full(len(heads.code_names), threshold, np.float32)).save(
            tmp_path / name / "heads.npz"
        )
        files = {"model": SHIPPED, "heads": tmp_path / name / "heads.npz"}
        write_encoder_manifest(tmp_path / name / "reader.toml", "1", ["en"], files)
    for name in [name for name in os.environ if name.startswith("CREDIT_SIGNALS_")]:
        monkeypatch.delenv(name)
    with EmbeddedRedis(tmp_path / "redis") as redis:
        monkeypatch.setenv("CREDIT_SIGNALS_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("CREDIT_SIGNALS_REDIS_URL", redis.url)
        monkeypatch.setenv("CREDIT_SIGNALS_READER", str(tmp_path / "a" / "reader.toml"))
        monkeypatch.setenv("CREDIT_SIGNALS_BATCH", "4")
        monkeypatch.setenv("CREDIT_SIGNALS_QUEUE_IDLE_SECONDS", "1")
        yield Bench(tmp_path)
