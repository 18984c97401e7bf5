"""`credit-signals readers` on real readers and a real store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.readers.conftest import Bench, cli

from credit_signals import settings, wiring
from credit_signals.errors import ConfigurationError, ModelRefused, StoreError
from credit_signals.store.base import ResultsStore
from credit_signals.tuning.registration import ReaderFiles, describe_reader


@contextmanager
def registry() -> Iterator[ResultsStore]:
    """The store of the settings."""
    store = wiring.open_store(settings.load())
    yield store
    store.close()


def present() -> str:
    """The id of the promoted reader."""
    with registry() as store:
        reader = store.present_reader()
    return reader.id if reader else ""


def decisions() -> list[str]:
    """The outcomes so far."""
    with registry() as store:
        return [each.outcome.value for each in store.promotions()]


def test_a_reader_is_registered_promoted_and_rolled_back(bench: Bench) -> None:
    """The whole life by commands: each step is shown, recorded, and takes effect at once."""
    assert "no reader is registered" in cli("readers", "list").output
    assert bench.register("a") == bench.register("a") == bench.id("a")
    bench.register("b")
    assert "the reader of the settings reads" in cli("readers", "list").output
    first = bench.promote("a", "").output
    assert "200 sentences of 50 documents, against baseline-tfidf-logistic" in first
    assert f"reader {bench.id('a')} promoted: micro-F1 0.9000 against 0.5000" in first
    bench.promote("b", "a")
    assert present() == bench.id("b")
    shown = cli("readers", "show").output
    assert bench.id("b") in shown
    assert "# Reader b" in shown
    assert '"micro_f1": 0.5' in shown
    assert "promoted" in shown
    gone_back = cli("readers", "rollback", "--reason", "it flags car parks").output
    assert gone_back.startswith(f"{bench.id('b')} gives way to {bench.id('a')}")
    assert present() == bench.id("a")
    cli("readers", "rollback")
    assert present() == ""
    history = cli("readers", "history").output
    assert "it flags car parks" in history
    assert decisions() == ["promoted", "promoted", "rolled_back", "rolled_back"]


def test_a_refusal_is_explained_and_recorded(bench: Bench) -> None:
    """A reader that is no better ends with exit code 1 and the figures; judged again, it is the same refusal."""
    for name in ("a", "b"):
        bench.register(name)
    bench.promote("a", "")
    files = ("--answers", bench.answers("b", 0.52), "--answers", bench.answers("a", 0.5))
    for _ in range(2):
        refused = cli("readers", "promote", bench.id("b"), *files, expected=1)
        assert "not higher beyond the interval" in refused.output
        assert "readers judged on this split so far: 2" in refused.output
    assert (present(), decisions()) == (bench.id("a"), ["promoted", "refused"])
    half = ("--answers", bench.answers("b", 0.5, cost=0.04), "--answers", bench.answers("a", 0.5))
    trade = ("--may-lose", "0.01", "--cost-factor", "0.5", "--trade", "twice as many companies a night")
    cli("readers", "promote", bench.id("b"), *half, expected=1)
    assert "trade: twice as many companies" in cli("readers", "promote", bench.id("b"), *half, *trade).output
    assert present() == bench.id("b")


def test_promoting_the_present_reader_again_changes_nothing(bench: Bench) -> None:
    """A step that is repeated finds its work done."""
    bench.register("a")
    bench.promote("a", "")
    bench.promote("a", "")
    assert decisions() == ["promoted"]


def test_damaged_weights_are_refused_at_promotion(bench: Bench) -> None:
    """Workers never meet them: the reader is opened first, in a process of its own."""
    for name in ("a", "b"):
        bench.register(name)
    bench.promote("a", "")
    heads = bench.folder / "b" / "heads.npz"
    heads.write_bytes(heads.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelRefused, match=r"does not work .*heads\.npz: SHA-256"):
        bench.promote("b", "a")
    assert (present(), decisions()) == (bench.id("a"), ["promoted"])


def test_a_manifest_that_changed_makes_another_reader(bench: Bench) -> None:
    """A folder that was written over after registration is refused, and so is rolling back to it."""
    ids = [bench.register(name) for name in ("a", "b")]
    bench.promote("a", "")
    bench.promote("b", "a")
    manifest = bench.manifest("a")
    manifest.write_text(manifest.read_text().replace('version = "1"', 'version = "2"'))
    with pytest.raises(ModelRefused, match="makes reader 2-"):
        cli("readers", "rollback")
    assert present() == ids[1]


def test_the_answers_that_decide_must_be_there(bench: Bench) -> None:
    """Answers are told apart by the reader in them; what is missing, or there twice, is named."""
    for name in ("a", "b"):
        bench.register(name)
    with pytest.raises(ConfigurationError, match=r"of the baseline, as no reader is present yet, .* are missing"):
        bench.promote("b", "a")
    bench.promote("a", "")
    with pytest.raises(ConfigurationError, match=f"of the present reader, {bench.id('a')}, are missing"):
        bench.promote("b", "")
    candidate = ("readers", "promote", bench.id("b"), "--answers")
    with pytest.raises(ConfigurationError, match=r"of the candidate, .* are missing"):
        cli(*candidate, bench.answers("a", 0.9))
    with pytest.raises(ConfigurationError, match="stand in another file too"):
        cli(*candidate, bench.answers("a", 0.9), "--answers", bench.answers("a", 0.5))


def test_the_folder_of_an_evaluation_is_evidence(bench: Bench) -> None:
    """One folder with the answers of all readers is enough: the right ones are taken."""
    folder = bench.folder / "evaluation"
    folder.mkdir()
    for name, quality in {"a": 0.7, "b": 0.9, "": 0.5}.items():
        bench.answers(name, quality).rename(folder / f"{name}.answers.jsonl")
    for name in ("a", "b"):
        cli("readers", "promote", bench.register(name), "--answers", folder)
    assert present() == bench.id("b")


def test_a_trade_needs_words_and_numbers(bench: Bench) -> None:
    """A trade without a reason, and a reason without a trade, are refused."""
    bench.register("a")
    files = ("--answers", bench.answers("a", 0.9), "--answers", bench.answers("", 0.5))
    with pytest.raises(ConfigurationError, match="need --trade"):
        cli("readers", "promote", bench.id("a"), *files, "--may-lose", "0.1")
    with pytest.raises(ConfigurationError, match="states no trade"):
        cli("readers", "promote", bench.id("a"), *files, "--trade", "because")


def test_readers_are_found_by_the_beginning_of_their_ids(bench: Bench) -> None:
    """As much as is unique is enough, and too little is refused."""
    bench.register("a")
    assert bench.id("a") in cli("readers", "show", bench.id("a")[:6]).output
    bench.register("b")
    with pytest.raises(ConfigurationError, match="begins the ids of 2 readers"):
        cli("readers", "show", "1-")


def test_files_about_a_reader_are_checked(bench: Bench, tmp_path: Path) -> None:
    """An empty card, figures of another reader, figures that are no JSON and a missing data hash are refused."""
    card, metrics = tmp_path / "card.md", tmp_path / "metrics.json"
    arguments = ("readers", "register", bench.manifest("a"), "--card", card, "--metrics", metrics)
    known = ("--data-hash", "made-up")
    for text, figures, data, message in (
        (" \n", "{}", known, "the model card is empty"),
        ("# Card", '{"reader_id": "9-other"}', known, "figures of reader 9-other"),
        ("# Card", '{"micro_f1": NaN}', known, "NaN is no JSON number"),
        ("# Card", "[]", known, "no JSON object"),
        ("# Card", "{}", (), "state what the reader was trained on"),
    ):
        card.write_text(text)
        metrics.write_text(figures)
        with pytest.raises(ConfigurationError, match=message):
            cli(*arguments, *data)
    bench.register("a")
    card.write_text("# Another card")
    with pytest.raises(StoreError, match="is registered with another card"):
        cli(*arguments, *known)


def test_training_data_is_told_by_its_hash(bench: Bench) -> None:
    """One file is known by its SHA-256, several by one hash whatever their order."""
    files = [bench.folder / "one.jsonl", bench.folder / "two.jsonl"]
    for file in files:
        file.write_text(file.name)
    (bench.folder / "card.md").write_text("# Card")
    (bench.folder / "metrics.json").write_text("{}")
    about = {"card": bench.folder / "card.md", "metrics": bench.folder / "metrics.json"}

    def data_hash(*data: Path) -> str:
        return describe_reader(ReaderFiles(bench.manifest("a"), data=data, **about), "a").data_hash

    assert data_hash(files[0]) == hashlib.sha256(b"one.jsonl").hexdigest()
    assert data_hash(*files) == data_hash(*reversed(files)) != data_hash(files[1])


def test_the_promoted_reader_reads_texts_too(bench: Bench) -> None:
    """`read` and `doctor` use the promoted reader as soon as there is one."""
    (bench.folder / "in.jsonl").write_text('{"id": 1, "text": "We cut jobs and made forty employees redundant."}\n')
    files = ("--in", bench.folder / "in.jsonl", "--out", bench.folder / "out.jsonl")
    cli("read", *files)
    assert not (bench.folder / "data" / "store.db").exists(), "reading texts makes no store"
    bench.register("b")
    bench.promote("b", "")
    assert f"promoted: {bench.id('b')} reads new runs" in cli("doctor").output
    cli("read", *files)
    assert bench.id("b") == wiring.open_present_reader(settings.load()).id
