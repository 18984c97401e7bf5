"""Report pages in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline_world import MILL, World, section

from credit_signals import pipeline
from credit_signals.errors import CreditSignalsError

INSOLVENT = section("/news", "We filed for <b>insolvency</b>.")


def test_a_page_per_company_and_an_index(world: World, tmp_path: Path) -> None:
    """The folder is made, the index links every page, and text of websites stays text."""
    report = world.read(INSOLVENT)
    folder = pipeline.write_pages(report.run_id, world.store, tmp_path / "new" / "folder")
    (page,) = [path for path in folder.iterdir() if path.name != "index.html"]
    assert page.name in (folder / "index.html").read_text()
    assert "insolvency" in page.read_text()
    assert "<b>insolvency</b>" not in page.read_text()


def test_a_long_list_has_several_pages(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page of the index leads to the next; pages of a longer list that stood there before are gone."""
    report = world.read(INSOLVENT)
    for name in ("one", "two"):
        company = MILL.model_copy(update={"id": name, "domain": f"{name}.example"})
        world.store.save_report(report.model_copy(update={"company": company}))
    for size, expected in ((1, ["index-2.html", "index-3.html", "index.html"]), (9, ["index.html"])):
        monkeypatch.setattr("credit_signals.pipeline.pages.ON_A_FILE", size)
        pipeline.write_pages(report.run_id, world.store, tmp_path)
        assert sorted(path.name for path in tmp_path.glob("index*")) == expected
        assert ('href="index-2.html"' in (tmp_path / "index.html").read_text()) is (size == 1)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_withdrawn_signal_shows_its_old_section(world: World, tmp_path: Path) -> None:
    """The quote of a statement that vanished is still shown where it stood."""
    world.read(INSOLVENT)
    report = world.read(section("/news", "All is quiet."))
    page = pipeline.company_page(report.run_id, MILL, world.store)
    assert "We filed for &lt;b&gt;insolvency&lt;/b&gt;." in page


def test_writing_twice_gives_the_same_pages(world: World, tmp_path: Path) -> None:
    """A repeated step overwrites its own pages."""
    report = world.read(INSOLVENT)
    written = [
        {path.name: path.read_bytes() for path in pipeline.write_pages(report.run_id, world.store, tmp_path).iterdir()}
        for _ in range(2)
    ]
    assert written[0] == written[1]


def test_a_company_that_is_not_scored_says_what_to_do(world: World) -> None:
    """Without a report the message names the domain and the command to run."""
    run = world.crawled(INSOLVENT)
    with pytest.raises(CreditSignalsError, match=r"mill\.example: no report .* `credit-signals score`"):
        pipeline.company_page(run.id, MILL, world.store)
