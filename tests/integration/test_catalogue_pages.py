"""The catalogue's pages in a real browser: the search finds, nothing is asked elsewhere, the pictures of the docs are made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fakes.small_hub import SmallHub, copy_of, ingested
from havre.bootstrap.samples import write_sample

pytestmark = pytest.mark.integration
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
# Pictures differ a little from one machine to another: they are made anew when asked for.
MAKE_PICTURES = bool(os.environ.get("HAVRE_PICTURES"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    hub = copy_of(ingested(), tmp_path_factory.mktemp("catalogue"))
    opened = hub.open()
    write_sample(opened, "dcir", None)
    opened.publication.publish()
    return hub


def found(page: Page, words: str) -> list[str]:
    """What the search lists for some words."""
    page.fill("#searched", words)
    # Asked by locator: a condition as text would be evaluated, which the page's policy forbids.
    expect(page.locator("#search [role=status]")).not_to_be_empty()
    return [each.inner_text() for each in page.locator("#search li").all()]


def test_a_variable_is_found_by_a_word_of_its_title_without_accents(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/fr/catalogue.html")

    listed = found(page, "deces cause")

    assert any(line.startswith("KI_CCI_R · DCD_CIM_COD") for line in listed)
    page.click("#search a:text-is('KI_CCI_R · DCD_CIM_COD')")
    assert page.url.endswith("/fr/table-KI_CCI_R.html#DCD_CIM_COD")


def test_what_is_not_there_is_said_and_markup_stays_text(page: Page, address: str) -> None:
    page.goto(f"{address}/en/catalogue.html")

    assert found(page, "<img src=x onerror=alert(1)>") == []
    assert page.inner_text("#search [role=status]") == "No result"


def test_no_script_and_no_request_of_anybody_else_gets_through(
    browser: Browser, address: str
) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/fr/catalogue.html")
    found(page, "pha")

    ran = page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); return window.ran === undefined; }"
    )

    assert ran
    assert all(url.startswith(address) or url == "data:," for url in asked)
    page.close()


def test_without_a_script_every_table_is_listed(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/fr/catalogue.html")

    assert not page.is_visible("#search")
    for table in ("ER_PRS_F", "T_MCOaaB", "KI_CCI_R"):
        assert page.locator(f"a[href='table-{table}.html']").count() == 1
    context.close()


@pytest.mark.parametrize("name", ["catalogue", "dataset-dcir", "table-ER_PRS_F"])
def test_no_page_of_the_catalogue_is_wider_than_a_telephone(
    page: Page, address: str, name: str
) -> None:
    page.goto(f"{address}/fr/{name}.html")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("name", "picture"),
    [("dataset-dcir", "catalogue-dataset"), ("table-ER_PRS_F", "catalogue-table")],
)
def test_the_pictures_of_the_docs_are_of_these_pages(
    browser: Browser, address: str, name: str, picture: str, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 860, "height": 900})
    page.goto(f"{address}/en/{name}.html")
    shot = (PICTURES if MAKE_PICTURES else tmp_path) / f"{picture}.png"

    page.screenshot(path=shot, clip={"x": 0, "y": 0, "width": 860, "height": 1080}, full_page=True)

    assert 10_000 < shot.stat().st_size < 250_000
    assert (PICTURES / f"{picture}.png").is_file()
    page.close()
