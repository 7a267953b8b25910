"""The public site in a real browser: every page opens, every link leads somewhere, nothing overflows."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, tiny_code
from fakes.verifier import GENUINE, verify

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    """A hub whose study was sent back by the machine, then released, and published."""
    hub = copy_of(granted(), tmp_path_factory.mktemp("site"))
    opened = hub.open()
    researcher = hub.token("researcher")
    for word in ("small", "whole"):
        report = opened.runs.run(PERMIT_NAME, tiny_code(word), researcher=researcher)
        assert report.record.outcome == "finished"
        opened.reviews.submit("r1", report.record.job, researcher=researcher)
    for checker in ("checker-1", "checker-2"):
        opened.reviews.vote("r1", "approve", checker=hub.token(checker))
    opened.releases.release("r1")
    opened.publication.publish()
    return hub


def pages_from(page: Page, start: str, address: str) -> set[str]:
    """Follow every link of the site once; each must answer."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        link = waiting.pop().split("#")[0]
        if link in seen or not link.startswith(address):
            continue
        seen.add(link)
        if not link.endswith(".html"):
            assert page.request.get(link).ok, link
            continue
        answer = page.goto(link)
        assert answer is not None
        assert answer.ok, link
        waiting += page.eval_on_selector_all("a", "all => all.map(a => a.href)")
    return seen


def test_every_link_of_the_site_leads_somewhere(page: Page, address: str) -> None:
    seen = pages_from(page, f"{address}/fr/index.html", address)

    names = {link.removeprefix(address) for link in seen}
    assert {f"/fr/permit-{PERMIT_NAME}.html", f"/en/permit-{PERMIT_NAME}.html"} <= names
    assert {"/log/checkpoint", "/verify_log.py"} <= names


def test_each_language_leads_to_the_same_page_in_the_other(page: Page, address: str) -> None:
    page.goto(f"{address}/fr/verify.html")

    page.click("a.tongue")

    assert page.url.endswith("/en/verify.html")
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("name", ["index", "permits", "releases", "exposure", "log", "verify"])
def test_no_page_is_wider_than_a_telephone(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/fr/{name}.html")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_pages_ask_nobody_else_for_anything(browser: Browser, address: str) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{address}/fr/log.html")

    assert asked
    assert all(url.startswith(address) for url in asked)


def test_the_request_that_was_sent_back_is_told(page: Page, address: str) -> None:
    for name in (f"permit-{PERMIT_NAME}", "releases"):
        page.goto(f"{address}/fr/{name}.html")

        assert "renvoyée à l’auteur par le contrôle automatique" in page.inner_text("main")


@pytest.mark.parametrize("name", ["index", "permits", "releases", "exposure", "log", "verify"])
def test_every_page_says_that_the_data_are_made_up_and_nothing_is_separated(
    page: Page, address: str, name: str
) -> None:
    page.goto(f"{address}/fr/{name}.html")

    notice = page.inner_text("[role=note]")
    assert "les données sont fictives" in notice
    assert "rien n’est réellement séparé" in notice


@pytest.mark.parametrize(("width", "shown"), [(1280, "wide-picture"), (390, "narrow-picture")])
def test_one_picture_is_shown_and_nothing_of_it_is_cut_off(
    browser: Browser, address: str, width: int, shown: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{address}/fr/exposure.html")

    (picture,) = [each for each in page.locator("figure svg").all() if each.is_visible()]
    assert picture.get_attribute("class") == shown
    frame = picture.bounding_box()
    assert frame is not None
    for text in picture.locator("text").all():
        box = text.bounding_box()
        assert box is not None
        assert box["x"] >= frame["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert box["y"] >= frame["y"]
    page.close()


def test_whoever_uses_the_keyboard_sees_where_he_is(page: Page, address: str) -> None:
    page.goto(f"{address}/fr/log.html")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    assert page.evaluate("document.activeElement.hash") == "#content"
    page.focus("nav a")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_first_screen_of_a_telephone_shows_all_cards(page: Page, address: str) -> None:
    page.goto(f"{address}/fr/index.html")

    tops = page.eval_on_selector_all(".card", "all => all.map(a => a.getBoundingClientRect().top)")
    assert len(set(tops)) == 2
    assert max(tops) < 800


def test_the_commands_of_the_page_fetch_the_whole_site_and_the_verifier_believes_it(
    hub: SmallHub, address: str, tmp_path: Path
) -> None:
    site = hub.open().place.site
    blocks = re.findall(r"<pre[^>]*>(.*?)</pre>", (site / "en/verify.html").read_text(), re.DOTALL)
    commands = html.unescape(blocks[0]).replace("URL", address)

    subprocess.run(["/bin/bash", "-ec", commands], cwd=tmp_path, check=True)

    root = tmp_path / "SITE"
    fetched = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert sorted(fetched) == (site / "files.txt").read_text().splitlines()
    done = verify(tmp_path / "SITE", "--trust", hub.parties / "researcher" / "trust.json")
    assert done.returncode == GENUINE, done.stdout
