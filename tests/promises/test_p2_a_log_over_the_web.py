"""P2: a custodian that reads the log from a web server believes it no more than a folder.

The custodian is a real `havre custodian serve`, on a Unix socket; the web server
is one that this test controls: it hides entries, drips, or gives what it likes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from fakes.processes import NAME, ServedHub, served_hub
from fakes.web import Web, web
from havre.bootstrap.hub import OpenHub
from havre.errors import HavreError, NotGenuine, Refused, Unavailable


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHub]:
    with served_hub() as running:
        running.granted()
        yield running


@pytest.fixture
def site(served: ServedHub) -> Iterator[Web]:
    """Custodian-1 reads the log from this web server."""
    served.stop("custodian-1")
    party = served.party("custodian-1")
    config, before = party / "service.toml", (party / "service.toml").read_text()
    with web(served.hub.hub / "site/log", served.hub.root) as running:
        local = 'log = "../../hub/site/log"'
        assert local in before
        config.write_text(
            before.replace(local, f'log = "{running.url}"\nlog_certificate = "web.pem"')
        )
        (party / "web.pem").write_bytes(running.certificate.read_bytes())
        served.start("custodian-1")
        yield running
        served.stop("custodian-1")
        config.write_text(before)
        served.start("custodian-1")


@pytest.fixture
def hub(served: ServedHub) -> OpenHub:
    return served.open()


def test_a_custodian_answers_by_the_log_that_it_fetched_over_https(
    served: ServedHub, hub: OpenHub, site: Web
) -> None:
    request = served.asked(hub)

    assert hub.custodians[0].release(request).shares
    assert "checkpoint" in site.asked


def test_a_web_server_that_hides_the_newest_entries_gets_nothing_opened(
    served: ServedHub, hub: OpenHub, site: Web
) -> None:
    old = site.file("checkpoint")
    request = served.asked(hub)
    hub.custodians[0].release(request)
    site.answer = lambda path: old if path == "checkpoint" else site.file(path)

    with pytest.raises(NotGenuine, match="went back"):
        hub.custodians[0].release(request)


def test_a_web_server_that_alters_an_entry_gets_nothing_opened(
    served: ServedHub, hub: OpenHub, site: Web
) -> None:
    held = hub.mirrors[0].held()
    request = served.asked(hub)
    true = site.file("checkpoint")
    site.answer = lambda path: (
        (true[0], true[1].replace(b"\n", b"9\n", 2)) if path == ("checkpoint") else site.file(path)
    )

    with pytest.raises(HavreError):
        hub.custodians[0].release(request)

    assert hub.mirrors[0].held() >= held


@pytest.mark.parametrize(("status", "body"), [(200, b""), (500, b""), (200, b"<html>")])
def test_a_web_server_that_gives_no_log_gets_nothing_opened(
    served: ServedHub, hub: OpenHub, site: Web, status: int, body: bytes
) -> None:
    request = served.asked(hub)
    site.answer = lambda _path: (status, body)

    with pytest.raises(HavreError):
        hub.custodians[0].release(request)


def test_a_web_server_that_drips_holds_no_authority_up(
    served: ServedHub, hub: OpenHub, site: Web
) -> None:
    """Whoever serves the log could be the hub itself, with a revocation on its way."""
    request = served.asked(hub)
    signed = served.decision(hub, "suspended")
    site.drip_s = 0.5
    said: list[HavreError] = []

    def ask() -> None:
        try:
            hub.custodians[0].release(request)
        except HavreError as refusal:
            said.append(refusal)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    time.sleep(1)
    begun = time.monotonic()

    assert hub.custodians[0].revoke(signed) == NAME

    took_s = time.monotonic() - begun
    for asker in askers:
        asker.join()
    assert took_s < 5
    assert {type(each) for each in said} == {Unavailable}
    site.drip_s = 0
    with pytest.raises(Refused, match="withdrawn permit"):
        hub.custodians[0].release(request)
