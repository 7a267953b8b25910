"""P2 across processes: custodians that are programs of their own keep their shares closed.

Every custodian, the escrow and every witness is a real `havre … serve`, on a Unix
socket, really stopped (SIGSTOP) and really killed (SIGKILL).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.processes import NAME, ServedHub, served_hub, skewed_clock
from havre.adapters.tokens.file import create_party
from havre.application.asking import Patience
from havre.application.vault.keys import KeyRelease, KeysWanted
from havre.bootstrap.hub import OpenHub
from havre.crypto.sealing import PartitionKey, seal_key
from havre.domain.custody import ReleaseRefused, ShareRequest
from havre.domain.events import KeysReleased, events_of
from havre.domain.permit_states import PermitState
from havre.domain.trust import Role, encode_trust_roots, parse_trust_roots
from havre.errors import NotGenuine, Refused, Unavailable

SECRET_KEY = bytes(range(32))
INFO = b"context"


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHub]:
    """A hub with a permit in force, whose parties are processes; every test leaves them running."""
    with served_hub() as running:
        running.granted()
        yield running


@pytest.fixture
def hub(served: ServedHub) -> OpenHub:
    return served.open()


def release_of(hub: OpenHub) -> KeyRelease:
    """The hub's own, but that it loses patience sooner."""
    return KeyRelease(
        journal=hub.journal,
        log=hub.log,
        custodians=hub.custodians,
        threshold=hub.roots.custodian_threshold,
        room=hub.key_room,
        clock=hub.clock,
        roots=hub.roots,
        patience=Patience(within_s=20, rest_s=1),
    )


def opened(release: KeyRelease, wanted: KeysWanted) -> bytes:
    """Have a sealed key opened, the whole way from the log to the key room."""
    covered = wanted.partitions[0]
    sealed = seal_key(SECRET_KEY, to=covered.public_key, info=INFO)
    with release.open(wanted) as keys:
        return keys.unwrap(covered.partition_id, sealed, INFO)


def test_two_custodians_open_what_a_permit_covers(served: ServedHub, hub: OpenHub) -> None:
    release = release_of(hub)

    assert opened(release, served.wanted(hub)) == SECRET_KEY
    assert release.complaints == {}


def test_one_custodian_that_was_killed_stops_nothing_and_is_named(
    served: ServedHub, hub: OpenHub
) -> None:
    served.kill("custodian-1")
    release = release_of(hub)

    try:
        assert opened(release, served.wanted(hub)) == SECRET_KEY
        assert release.complaints == {"custodian-1": "custodian-1 does not answer at its address."}
    finally:
        served.start("custodian-1")


def test_a_custodian_that_was_killed_answers_again_when_it_is_started(
    served: ServedHub, hub: OpenHub
) -> None:
    served.kill("custodian-1", "custodian-2")
    served.start("custodian-1", "custodian-2")
    release = release_of(hub)

    assert opened(release, served.wanted(hub)) == SECRET_KEY
    assert release.complaints == {}


def test_one_custodian_that_hangs_is_named_and_holds_nobody_up(
    served: ServedHub, hub: OpenHub
) -> None:
    served.hang("custodian-2")
    release = release_of(hub)
    wanted = served.wanted(hub)
    begun = time.monotonic()

    try:
        assert opened(release, wanted) == SECRET_KEY
        # Its copy of the log is waited for a little as well, before and after.
        assert time.monotonic() - begun < 25
        assert "custodian-2 did not answer within" in release.complaints["custodian-2"]
    finally:
        served.wake("custodian-2")


def test_one_custodian_alone_opens_nothing_and_the_others_are_named(
    served: ServedHub, hub: OpenHub
) -> None:
    wanted = served.wanted(hub)
    served.kill("custodian-1", "custodian-3")

    try:
        with pytest.raises(
            Refused,
            match=r"1 custodians answered, 2 are needed\. custodian-1: .* custodian-3: ",
        ):
            opened(release_of(hub), wanted)
    finally:
        served.start("custodian-1", "custodian-3")


def test_a_request_that_is_asked_again_gets_the_same_bytes_even_after_a_kill(
    served: ServedHub, hub: OpenHub
) -> None:
    request = served.asked(hub)
    first = hub.custodians[0].release(request)
    served.kill("custodian-1")
    served.start("custodian-1")

    assert hub.custodians[0].release(request) == first


def test_a_request_replayed_with_another_key_opens_nothing(served: ServedHub, hub: OpenHub) -> None:
    request = served.asked(hub)
    stranger = PartitionKey.generate().public

    with pytest.raises(ReleaseRefused, match="one-time key is not the one that the entry names"):
        hub.custodians[0].release(
            ShareRequest(request.index, stranger, request.documents, request.salts)
        )


def test_an_answer_that_is_replayed_to_another_request_does_not_count(
    served: ServedHub, hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody between hub and custodian gives yesterday's answer: its receipt says of what it is."""
    wanted = served.wanted(hub)
    old = hub.custodians[0].release(served.asked(hub))
    release = release_of(hub)
    monkeypatch.setattr(hub.custodians[0], "release", lambda _request: old)

    assert opened(release, wanted) == SECRET_KEY
    assert "about another request" in release.complaints["custodian-1"]


def test_a_custodian_needs_nothing_of_the_hub_but_its_published_log(
    served: ServedHub, hub: OpenHub
) -> None:
    """It never asks the hub for a permit's state: it answers while the hub's own things are gone."""
    request = served.asked(hub)
    away = served.hub.root / "away"
    away.mkdir()
    for name in ("records.sqlite", "private", "party", "havre.toml"):
        (served.hub.hub / name).rename(away / name)

    try:
        assert hub.custodians[1].release(request).shares
    finally:
        for path in away.iterdir():
            path.rename(served.hub.hub / path.name)
        away.rmdir()


def test_a_custodian_that_was_set_back_refuses_and_says_so(served: ServedHub, hub: OpenHub) -> None:
    folder, backup = served.party("custodian-3"), served.hub.root / "backup"
    served.stop("custodian-3")
    shutil.copytree(folder, backup, ignore=shutil.ignore_patterns("*.sock"))
    served.start("custodian-3")
    served.kill("custodian-1")
    wanted = served.wanted(hub)
    assert opened(release_of(hub), wanted) == SECRET_KEY
    served.start("custodian-1")
    served.stop("custodian-3")
    kept = served.hub.root / "kept"
    folder.rename(kept)
    shutil.copytree(backup, folder)
    served.start("custodian-3")
    request = served.asked(hub)

    try:
        with pytest.raises(
            NotGenuine, match="custodian-3 that its counter has not: it was set back"
        ):
            hub.custodians[2].release(request)
    finally:
        served.stop("custodian-3")
        shutil.rmtree(folder)
        kept.rename(folder)
        shutil.rmtree(backup)
        served.start("custodian-3")


# A real service whose clock is wrong, or whose answer is: the one line that is changed.
CHANGED = {
    "a clock ten minutes behind": skewed_clock(-600),
    "shares that are none": (
        "from havre.adapters.custody.local import LocalCustodian\n"
        "true = LocalCustodian.release\n"
        "from dataclasses import replace\n"
        "LocalCustodian.release = lambda self, request: replace(\n"
        "    answer := true(self, request), shares=dict.fromkeys(answer.shares, b'x' * 1200))\n"
    ),
    "a body that is nothing": (
        "import havre.adapters.custody.desk as desk\ndesk.encode_answer = lambda answer: b''\n"
    ),
    "a name that is another's": (
        "import havre.adapters.channel.server as server\n"
        "true = server._Answering._response\n"
        "def other(self, said, status):\n"
        "    response = true(self, said, status)\n"
        "    response.headers['havre-party'] = 'custodian-2'\n"
        "    return response\n"
        "server._Answering._response = other\n"
    ),
}
SAID = {
    "a clock ten minutes behind": "The clock of custodian-1 went back by",
    "shares that are none": "custodian-1 gave a share",
    "a body that is nothing": "custodian-1 answers in another form",
    "a name that is another's": "At the address of custodian-1 answers somebody else",
}


@pytest.mark.parametrize("change", SAID)
def test_a_custodian_that_is_wrong_is_named_and_another_one_is_asked(
    served: ServedHub, hub: OpenHub, change: str
) -> None:
    served.stop("custodian-1")
    served.start_changed("custodian-1", CHANGED[change])
    release = release_of(hub)

    try:
        assert opened(release, served.wanted(hub)) == SECRET_KEY
        assert SAID[change] in release.complaints["custodian-1"]
    finally:
        served.stop("custodian-1")
        served.start("custodian-1")


def test_a_custodian_whose_clock_runs_ten_minutes_ahead_still_counts_what_is_fresh(
    served: ServedHub, hub: OpenHub
) -> None:
    """A quarter of an hour is allowed: minutes of difference close nobody."""
    served.stop("custodian-2")
    served.start_changed("custodian-2", skewed_clock(600))
    request = served.asked(hub)

    try:
        assert hub.custodians[1].release(request).shares
    finally:
        served.stop("custodian-2")
        (served.party("custodian-2") / "latest").unlink()
        served.start("custodian-2")


def test_a_hub_whose_clock_is_an_hour_behind_opens_nothing(
    served: ServedHub, hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, true = served.wanted(hub), hub.clock.now
    monkeypatch.setattr(hub.clock, "now", lambda: true() - timedelta(hours=1))

    with pytest.raises(Refused, match=r"0 custodians answered.*not that of this custodian's clock"):
        opened(release_of(hub), wanted)


def test_what_is_no_service_at_a_socket_is_named(served: ServedHub, hub: OpenHub) -> None:
    served.stop("custodian-1")
    socket_path = served.party("custodian-1") / "custodian-1.sock"
    Path(socket_path).write_bytes(b"")

    try:
        with pytest.raises(Unavailable, match="custodian-1 does not answer at its address"):
            hub.custodians[0].begin_ceremony("never")
    finally:
        socket_path.unlink()
        served.start("custodian-1")


def test_a_revocation_that_the_hub_keeps_to_itself_is_obeyed_by_every_custodian() -> None:
    """Handed over by the authority; the hub puts nothing on the log, and asks for keys."""
    with served_hub() as served:
        wanted = served.granted()
        hub = served.open()
        signed = served.decision(hub, "revoked")
        for custodian in (*hub.custodians, hub.escrow):
            assert custodian.revoke(signed) == NAME
        served.kill("custodian-2")
        served.start("custodian-2")

        with pytest.raises(Refused, match=r"0 custodians answered.*withdrawn permit .* directly"):
            opened(release_of(hub), wanted)

        events = [logged.event for logged in hub.log.entries()]
        assert events_of(events, KeysReleased) == []


def test_what_a_hub_signs_with_keys_of_its_own_choice_is_nothing_to_a_custodian() -> None:
    """PROTOCOLS section 8: trust roots that the hub supplies. Its own say what it likes."""
    with served_hub() as served:
        place = served.hub.hub / "party" / "trust.json"
        roots = parse_trust_roots(place.read_bytes())
        chosen = {
            name: create_party(
                served.hub.root / "chosen" / name,
                name=name,
                role=Role.AUTHORITY,
                operator=f"house of {name}",
            )
            for name in ("authority-1", "authority-2")
        }
        parties = tuple(
            chosen[party.name].party if party.name in chosen else party for party in roots.parties
        )
        place.write_bytes(encode_trust_roots(replace(roots, parties=parties)))
        for name, token in chosen.items():
            served.party(name).rename(served.hub.root / f"true-{name}")
            token.folder.rename(served.party(name))
        wanted = served.granted()
        hub = served.open()
        assert hub.permits.standing(NAME).state is PermitState.GRANTED

        with pytest.raises(Refused, match=r"0 custodians answered.*not in the trust roots"):
            opened(release_of(hub), wanted)
