"""A custodian that is asked over a socket keeps the port's promises as one in process does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract.suite_custody import *  # noqa: F403
from fakes.hub_keys import DCIR_2021, HubKeys
from fakes.served import behind_a_socket
from havre.adapters.channel.server import Stop
from havre.adapters.custody.desk import CustodianDesk
from havre.adapters.custody.http import RemoteCustodian
from havre.adapters.custody.local import LocalCustodian
from havre.crypto.sealing import PartitionKey
from havre.domain.custody import ReleaseRefused
from havre.domain.transparency import NotFresh, NotWitnessed


@dataclass
class ServedHub(HubKeys):
    """The same hub, whose custodians are asked over sockets."""

    doors: ExitStack = field(default_factory=ExitStack)
    stops: list[Stop] = field(default_factory=list)

    def custodian(self, name: str) -> LocalCustodian:
        local = super().custodian(name)
        channel = self.doors.enter_context(
            behind_a_socket(name, CustodianDesk(local).acts, clock=self.log.clock, stops=self.stops)
        )
        return RemoteCustodian(channel)  # type: ignore[return-value]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubKeys]:
    with ExitStack() as doors:
        served = ServedHub(tmp_path / "hub", doors=doors)
        yield served
        for stop in served.stops:
            stop()


def test_a_custodian_is_asked_over_its_socket_and_not_in_process(hub: HubKeys) -> None:
    assert isinstance(hub.custodian("custodian-1"), RemoteCustodian)


def test_a_refusal_comes_back_as_the_class_that_it_was(hub: HubKeys) -> None:
    wanted = hub.granted()
    request = hub.asked(PartitionKey.generate().public, wanted=wanted)
    hub.custodian("custodian-1").revoke(hub.decided("revoked", about=wanted.permit))

    with pytest.raises(ReleaseRefused, match="An authority has withdrawn permit diabetes directly"):
        hub.custodian("custodian-1").release(request)


def test_an_old_head_comes_back_as_one(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)
    hub.log.clock.move(minutes=16)

    with pytest.raises(NotFresh, match="960 seconds ago"):
        hub.custodian("custodian-1").release(request)


def test_a_head_without_its_witnesses_comes_back_as_one(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)
    checkpoint = hub.log.site / "log" / "checkpoint"
    lines = checkpoint.read_bytes().splitlines(keepends=True)
    checkpoint.write_bytes(b"".join(lines[:-2]))

    with pytest.raises(NotWitnessed, match="2 witnesses stand behind"):
        hub.custodian("custodian-1").release(request)


def test_keys_are_opened_through_custodians_behind_sockets(hub: HubKeys) -> None:
    with hub.release().open(hub.granted()) as keys:
        assert keys.request > 0
    assert hub.known(DCIR_2021)
