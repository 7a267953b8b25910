"""Printed pages in a real browser: they fit the paper, and lose nothing on the way to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from fakes.small_hub import founded
from havre.adapters.paper.sheet import sheet_html
from havre.bootstrap.custodian_desk import list_ceremonies, write_record
from havre.crypto.paper import words_of
from havre.ports.tokens import EpochSheet

pytestmark = pytest.mark.integration
# A4 without the margins that the style sheet asks for, in CSS pixels.
PRINTED_WIDTH = round(176 / 25.4 * 96)


@pytest.fixture(params=["fr", "en"])
def sheet(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The sheet of an epoch's key, which is as long as a sheet can be."""
    out = tmp_path / "sheet.html"
    made_up = EpochSheet("custodian-1", 999_999, "f" * 64, words_of(bytes(range(32))))
    out.write_bytes(sheet_html(made_up, language=request.param))
    return out


def too_wide(browser: Browser, paper: Path) -> list[str]:
    """What runs over the edge of the paper."""
    page = browser.new_page(viewport={"width": PRINTED_WIDTH, "height": 1000})
    page.emulate_media(media="print")
    page.goto(paper.as_uri())
    wide: list[str] = page.evaluate(
        "width => [...document.querySelectorAll('body *')]"
        ".filter(each => each.getBoundingClientRect().right > width + 1)"
        ".map(each => each.outerHTML.slice(0, 80))",
        PRINTED_WIDTH,
    )
    page.close()
    return wide


def pages_of(browser: Browser, paper: Path) -> int:
    """How many pages it prints on."""
    page = browser.new_page()
    page.goto(paper.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    return len(re.findall(rb"/Type\s*/Page[^s]", printed))


@pytest.fixture(scope="module", params=["fr", "en"])
def record(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = founded().parties / "custodian-1"
    (row,) = list_ceremonies(folder)
    out = tmp_path_factory.mktemp("record") / "record.html"
    write_record(folder, str(row["ceremony"]), out=out, language=request.param)
    return out


def test_nothing_runs_over_the_edge_of_the_paper(
    browser: Browser, record: Path, sheet: Path
) -> None:
    assert too_wide(browser, record) == []
    assert too_wide(browser, sheet) == []


def test_the_record_prints_with_a_page_to_sign_and_its_annex(
    browser: Browser, record: Path
) -> None:
    assert 3 < pages_of(browser, record) < 8


def test_the_sheet_of_an_epochs_key_is_one_page(browser: Browser, sheet: Path) -> None:
    assert pages_of(browser, sheet) == 1
