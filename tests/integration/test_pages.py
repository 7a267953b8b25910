"""The public site in a real browser: every page opens, every link leads somewhere, nothing overflows."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from fakes.small_hub import PERMIT_NAME, copy_of, granted, tiny_code

pytestmark = pytest.mark.integration
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub whose study was run, sent back or released, and published; served."""
    hub = copy_of(granted(), tmp_path_factory.mktemp("site"))
    opened = hub.open()
    report = opened.runs.run(PERMIT_NAME, tiny_code("small"), researcher=hub.token("researcher"))
    assert report.record.outcome == "finished"
    opened.reviews.submit("r1", report.record.job, researcher=hub.token("researcher"))
    opened.publication.publish()
    handler = functools.partial(_Quiet, directory=str(opened.place.site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "run through `make test-integration`, which installs chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 390, "height": 800})
    yield opened
    opened.close()


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


@pytest.mark.parametrize("name", ["index", "permits", "releases", "log", "verify"])
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
    page.goto(f"{address}/fr/permit-{PERMIT_NAME}.html")

    assert "renvoyé à l'auteur" in page.inner_text("main")
