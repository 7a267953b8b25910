"""A log on a web server reads as the same log in a folder does; a bad server is named, not believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.hub_log import HubLog
from fakes.web import Web, web
from havre.adapters.log import http
from havre.adapters.log.files import LogFolder
from havre.adapters.log.http import LogSite
from havre.application.audit import PublicLog
from havre.errors import HavreError, InvalidInput, NotFound, NotGenuine, Unavailable

ENTRIES = 300


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> HubLog:
    """A log with a full bundle and a partial one, published at several sizes."""
    hub = HubLog(tmp_path_factory.mktemp("log")).filled(3)
    store = hub.store()
    with store.exclusive():
        store.append([b'{"entry":%d}' % number for number in range(3, ENTRIES)], at=3)
    return hub


@pytest.fixture
def site(log: HubLog, tmp_path: Path) -> Iterator[Web]:
    with web(log.site / "log", tmp_path) as running:
        yield running


def reader(site: Web) -> LogSite:
    return LogSite(site.url, certificate=site.certificate)


@pytest.mark.parametrize(
    ("start", "end"), [(0, 3), (0, ENTRIES), (255, 257), (256, ENTRIES), (7, 7)]
)
def test_the_same_entries_come_from_the_web_and_from_the_folder(
    log: HubLog, site: Web, start: int, end: int
) -> None:
    folder = LogFolder(log.site / "log")

    assert reader(site).entries(start, end) == folder.entries(start, end)


def test_the_same_nodes_come_from_the_web_and_from_the_folder(log: HubLog, site: Web) -> None:
    folder = LogFolder(log.site / "log")
    places = [(0, 0), (0, 299), (3, 1), (8, 0)]

    assert [reader(site).node(*place, size=ENTRIES) for place in places] == [
        folder.node(*place, size=ENTRIES) for place in places
    ]


def test_a_published_log_is_verified_over_the_web(tmp_path: Path) -> None:
    hub = HubLog(tmp_path).filled(5)
    with web(hub.site / "log", tmp_path) as site:
        public = PublicLog(reader(site), roots=hub.roots)

        assert len(public.entries()) == 5
        assert sorted(site.asked) == ["checkpoint", "tile/entries/000.p/5"]


def say(status: int, body: bytes) -> Callable[[str], tuple[int, bytes]]:
    return lambda _path: (status, body)


BAD: list[tuple[str, Callable[[str], tuple[int, bytes]], type[HavreError], str]] = [
    ("nothing, and says 200", say(200, b""), NotFound, "checkpoint is empty"),
    ("404", say(404, b""), NotFound, "The log has no file checkpoint"),
    ("500", say(500, b"x"), Unavailable, "answers 500 for checkpoint"),
    ("another place", say(302, b"https://127.0.0.1:1/"), Unavailable, "answers 302"),
    ("too much", say(200, bytes(17_000_000)), NotGenuine, "longer than a log's file can be"),
]


@pytest.mark.parametrize(
    ("answer", "kind", "said"), [each[1:] for each in BAD], ids=[b[0] for b in BAD]
)
def test_what_a_bad_server_gives_is_named(
    site: Web,
    answer: Callable[[str], tuple[int, bytes]],
    kind: type[HavreError],
    said: str,
) -> None:
    site.answer = answer

    with pytest.raises(kind, match=said):
        reader(site).checkpoint()


def test_a_server_that_drips_is_left(site: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_FILE_WITHIN_S", 0.6)
    site.drip_s = 0.2
    begun = time.monotonic()

    with pytest.raises(Unavailable, match="did not give checkpoint within"):
        reader(site).checkpoint()

    assert time.monotonic() - begun < 15


def test_a_server_with_another_certificate_is_not_read(
    site: Web, log: HubLog, tmp_path: Path
) -> None:
    with (
        web(log.site / "log", tmp_path, name="other") as other,
        pytest.raises(Unavailable, match="does not answer"),
    ):
        LogSite(site.url, certificate=other.certificate).checkpoint()


def test_a_server_that_no_public_authority_knows_is_not_read(site: Web) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        LogSite(site.url).checkpoint()


def test_nobody_at_the_address_is_named() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        LogSite("https://127.0.0.1:9/log").checkpoint()


@pytest.mark.parametrize("url", ["http://hub.example/log", "ftp://hub.example/log", "file:///log"])
def test_a_log_is_read_over_tls_or_not_at_all(url: str) -> None:
    with pytest.raises(InvalidInput, match="begins with https"):
        LogSite(url)
