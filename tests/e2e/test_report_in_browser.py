"""The report as a person meets it: in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from tests.e2e.conftest import CommandLine

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of a headless Chromium; skips where none is installed."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def test_index_leads_to_a_quote(page: Page, results: dict[str, Any], command_line: CommandLine) -> None:
    """From the index one click leads to a company whose quotes are marked, and nothing is loaded from elsewhere."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    folder = command_line.data_dir / "reports" / results["run_id"]
    company = max(results["companies"], key=lambda each: len(each["signals"]))
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name=company["name"], exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == company["name"]
    marked = {" ".join(each.split()) for each in page.locator("mark").all_inner_texts()}
    assert {" ".join(signal["evidence"]["quote"].split()) for signal in company["signals"]} <= marked
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_narrow_screens_need_no_sideways_scrolling(
    page: Page, results: dict[str, Any], command_line: CommandLine
) -> None:
    """On a telephone the index is as wide as the screen."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((command_line.data_dir / "reports" / results["run_id"] / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
