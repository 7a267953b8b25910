"""P2 across processes: custodians that are programs of their own give their shares to another.

Every custodian, the escrow and every witness is a real `havre … serve`; the new one is
started by its own people, with trust roots that they took over from a signed order.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.ceremony import Prepared, prepared
from fakes.processes import ServedHub, served_hub
from havre.application.asking import Patience
from havre.application.vault.keys import KeyRelease
from havre.crypto.sealing import seal_key
from havre.domain.events import KeysReleased, events_of
from havre.domain.key_events import PartitionsReshared
from havre.errors import Refused, Unavailable

OLD = ("custodian-1", "custodian-2")
SECRET_KEY = bytes(range(32))


@pytest.fixture
def served() -> Iterator[ServedHub]:
    with served_hub() as running:
        running.granted()
        yield running


def opened(served: ServedHub) -> tuple[bytes, set[str]]:
    """Have a sealed key opened the whole way; returns it, and who gave his share."""
    hub = served.open()
    release = KeyRelease(
        journal=hub.journal,
        log=hub.log,
        custodians=hub.custodians,
        threshold=hub.roots.custodian_threshold,
        room=hub.key_room,
        clock=hub.clock,
        roots=hub.roots,
        patience=Patience(within_s=20, rest_s=1),
    )
    wanted = served.wanted(hub)
    covered = wanted.partitions[0]
    sealed = seal_key(SECRET_KEY, to=covered.public_key, info=b"context")
    with release.open(wanted) as keys:
        found = keys.unwrap(covered.partition_id, sealed, b"context")
    events = [each.event for each in served.open().log.entries()]
    return found, set(events_of(events, KeysReleased)[-1].receipts)


def started(served: ServedHub, *names: str, **how: tuple[str, ...]) -> Prepared:
    """An order, and the new custodians as processes of their own."""
    ceremony = prepared(served.hub, **how)  # type: ignore[arg-type]
    served.start(*names)
    return ceremony


def test_a_new_process_takes_over_from_one_that_was_lost(served: ServedHub) -> None:
    served.kill("custodian-3")
    report = started(served, "custodian-4").attended_by(*OLD).held()

    assert report.accepted == ("custodian-1", "custodian-2", "custodian-4", "escrow")
    assert report.retired == ("custodian-1", "custodian-2", "escrow")
    assert report.ended is not None
    assert set(report.missing) == {"custodian-3"}
    served.kill("custodian-1")
    assert opened(served) == (SECRET_KEY, {"custodian-2", "custodian-4"})


def test_processes_refuse_by_name_until_their_people_have_looked(served: ServedHub) -> None:
    ceremony = started(served, "custodian-4").attended_by("custodian-1")

    with pytest.raises(Refused, match="custodian-2: Nobody here has looked at"):
        ceremony.held()
    events = [each.event for each in served.open().log.entries()]
    assert events_of(events, PartitionsReshared) == []
    assert ceremony.attended_by("custodian-2").held().ended is not None


def test_a_new_custodian_that_is_away_is_named_and_the_ceremony_goes_on_later(
    served: ServedHub,
) -> None:
    """Until everybody who is to hold new shares is there, the old ones open everything."""
    ceremony = started(served, "custodian-4").attended_by(*OLD)
    served.kill("custodian-4")

    with pytest.raises(Unavailable, match="custodian-4 does not answer"):
        ceremony.held()
    assert opened(served)[0] == SECRET_KEY
    served.start("custodian-4")
    assert ceremony.held().ended is not None


def test_a_process_knows_the_next_ceremony_once_its_people_took_the_new_roots_over(
    served: ServedHub,
) -> None:
    first = started(served, "custodian-4").attended_by(*OLD)
    assert first.held().ended is not None
    second = prepared(
        served.hub, lost=("custodian-3", "custodian-4"), fresh=("custodian-5",), name="second"
    )
    served.start("custodian-5")
    second.attended_by(*OLD)

    with pytest.raises(Refused, match="other trust roots than these"):
        second.held()
    first.adopted_by(*OLD, "escrow")
    for name in (*OLD, "escrow"):
        served.stop(name)
        served.start(name)
    assert second.held().reshared > 0
    assert opened(served)[0] == SECRET_KEY
