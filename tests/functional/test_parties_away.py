"""A hub goes on while those who answer are enough, and names who does not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fakes.parties import SetClock
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.adapters.witness.local import LocalWitness
from havre.application.outside import TooFewWitnesses
from havre.bootstrap.growing import make_partitions
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.parties import ReachedWitness
from havre.bootstrap.reports import hub_status
from havre.domain.events import VersionPublished, events_of
from havre.errors import Refused, Unavailable

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "all")


def send_away(hub: SmallHub, *names: str) -> None:
    for name in names:
        (hub.parties / name).rename(hub.root / f"away-{name}")


def ingest(hub: SmallHub) -> None:
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    opened = hub.open()
    assert not opened.receiving.receive().held
    opened.ingestion.ingest("cepidc", progress=quiet)


@pytest.mark.parametrize("name", ["witness-1", "witness-4", "custodian-1", "custodian-3", "escrow"])
def test_one_party_away_stops_nothing_and_is_named(hub: SmallHub, name: str) -> None:
    send_away(hub, name)

    ingest(hub)

    opened = OpenHub(hub.hub)
    events = [logged.event for logged in opened.log.entries()]
    assert len(events_of(events, VersionPublished)) == 1
    assert hub_status(opened)["parties_away"] == [name]
    silent = [name] if name.startswith("witness") else []
    assert hub_status(opened)["witnesses_silent"] == silent


def test_a_witness_that_cannot_use_its_directory_is_one_that_does_not_answer(
    hub: SmallHub,
) -> None:
    (state,) = (hub.parties / "witness-2" / "seen").glob("seen-*.json")
    state.unlink()
    state.mkdir()

    ingest(hub)

    assert hub_status(OpenHub(hub.hub))["witnesses_silent"] == ["witness-2"]


def test_two_witnesses_away_stop_new_acts_and_both_are_named(hub: SmallHub) -> None:
    send_away(hub, "witness-1", "witness-3")

    with pytest.raises(TooFewWitnesses, match=r"witness-1.*away.*witness-3.*away"):
        make_partitions(OpenHub(hub.hub), datasets=[], landing=1)


def test_two_custodians_away_open_nothing_and_both_are_named(hub: SmallHub) -> None:
    send_away(hub, "custodian-1", "custodian-2")

    with pytest.raises(Refused, match=r"1 custodians answered.*custodian-1.*custodian-2"):
        ingest(hub)


def test_no_ceremony_is_held_without_one_of_its_custodians(hub: SmallHub) -> None:
    send_away(hub, "escrow")

    with pytest.raises(Unavailable, match="escrow does not answer"):
        make_partitions(hub.open(), datasets=[], landing=1)


def test_a_party_that_came_back_is_asked_again(hub: SmallHub) -> None:
    send_away(hub, "witness-1")
    assert make_partitions(hub.open(), datasets=[], landing=1) == 1
    (hub.root / "away-witness-1").rename(hub.parties / "witness-1")

    make_partitions(hub.open(), datasets=[], landing=1)

    assert hub_status(OpenHub(hub.hub))["witnesses_silent"] == []


def test_one_witness_with_a_clock_of_1970_does_not_make_the_hub_renew(hub: SmallHub) -> None:
    opened = OpenHub(hub.hub)
    first = opened.witnesses[0]
    token = hub.token("witness-1")
    opened.witnesses[0] = ReachedWitness(
        hub.parties / "witness-1",
        lambda: LocalWitness(
            hub.parties / "witness-1" / "seen",
            token=token,
            roots=token.trust_roots(),
            clock=SetClock(EPOCH),
        ),
    )
    opened.journal.renew()
    before = opened.log.checkpoint()

    hub.open()

    assert first.name == "witness-1"
    assert OpenHub(hub.hub).log.checkpoint() == before


def test_a_head_that_a_quorum_has_not_cosigned_lately_is_renewed(hub: SmallHub) -> None:
    before = OpenHub(hub.hub).log.checkpoint()
    late = OpenHub(hub.hub)
    late.clock = SetClock(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=20))

    late.wake()

    assert OpenHub(hub.hub).log.checkpoint() != before
