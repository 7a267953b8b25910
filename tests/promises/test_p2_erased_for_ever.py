"""P2. What is erased is opened for nobody, ever.

Real custodians on real files, one of which is killed at every flush to the disk.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from contract.suite_custody import shares_for
from fakes.erasing import desk, events_on, order_of, place
from fakes.hub_keys import CUSTODIANS, DCIR_2021, PROJECT, SECRET, HubKeys
from havre.application.vault.keys import KeyRelease
from havre.crypto.sealing import PartitionKey
from havre.domain.certificates import open_certificate
from havre.domain.erasure_check import ErasureRequest
from havre.domain.events import PartitionsCreated
from havre.domain.key_events import KeysErased
from havre.domain.statements import envelope_digest
from havre.errors import Refused, Unavailable
from havre.ports.custody import Custodian


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path / "hub")


def test_what_is_erased_is_refused_by_name_and_the_rest_opens(hub: HubKeys) -> None:
    erased, kept = hub.known(PROJECT), hub.known(DCIR_2021)
    report = desk(hub).erase([erased], order_of(hub, PROJECT))

    assert sorted(report.attested) == list(CUSTODIANS)
    assert (report.missing, report.needed) == ({}, 2)
    assert isinstance(hub.log.public().entries()[report.erased or 0].event, KeysErased)
    wanted = hub.granted()
    asked = replace(wanted, partitions=[erased, *wanted.partitions])
    with pytest.raises(Refused, match="erased"):
        hub.custodian("custodian-1").release(
            hub.asked(PartitionKey.generate().public, wanted=asked)
        )
    with hub.release().open(wanted) as keys:
        assert keys.request
    assert kept.partition_id in hub.custodian("custodian-1")._shares.held()
    assert erased.partition_id not in hub.custodian("custodian-1")._shares.held()


def test_the_hub_itself_asks_for_nothing_that_is_ordered_erased(hub: HubKeys) -> None:
    wanted = hub.granted()
    place(hub, order_of(hub, SECRET))
    before = len(hub.log.public().entries())

    with pytest.raises(Refused, match="erased"), hub.release(kind=KeyRelease).open(wanted):
        pass
    assert len(hub.log.public().entries()) == before


def test_an_answer_that_was_given_before_is_not_given_again(hub: HubKeys) -> None:
    wanted = hub.granted()
    request = hub.asked(PartitionKey.generate().public, wanted=wanted)
    answer = hub.custodian("custodian-1").release(request)
    secret = hub.known(SECRET).partition_id
    stored = hub.root / "custodian-1" / "answers" / f"{request.index}.json"
    desk(hub).erase([hub.known(SECRET)], order_of(hub, SECRET))

    with pytest.raises(Refused, match="has erased its shares of 1"):
        hub.custodian("custodian-1").release(request)
    assert secret in answer.shares
    assert secret not in hub.custodian("custodian-1")._answers._read(stored).shares
    assert hub.custodian("custodian-1")._answers._read(stored).receipt == answer.receipt


def test_fewer_certificates_than_needed_leave_the_order_open_and_name_who_is_missing(
    hub: HubKeys,
) -> None:
    class Away:
        name = "custodian-2"

        def erase(self, request: ErasureRequest) -> bytes:
            raise Unavailable("custodian-2 does not answer.")

    order = order_of(hub, PROJECT)
    away: list[Custodian] = [hub.custodian("custodian-1"), Away()]  # type: ignore[list-item]
    first = desk(hub, away).erase([hub.known(PROJECT)], order)

    assert (first.erased, sorted(first.attested)) == (None, ["custodian-1"])
    assert sorted(first.missing) == ["custodian-2", "custodian-3"]
    assert desk(hub).list_open() == [first.order]
    assert events_on(hub, KeysErased) == []

    last = desk(hub).carry_out(first.order)

    assert (last.missing, sorted(last.attested)) == ({}, list(CUSTODIANS))
    assert last.attested["custodian-1"] == first.attested["custodian-1"]
    assert desk(hub).list_open() == []
    assert len(events_on(hub, KeysErased)) == 1


def test_an_order_asked_again_changes_nothing(hub: HubKeys) -> None:
    order = order_of(hub, PROJECT)
    first = desk(hub).erase([hub.known_any(PROJECT)], order)
    size = len(hub.log.public().entries())
    epochs = hub.custodian("custodian-1")._shares.epoch()

    assert desk(hub).erase([hub.known_any(PROJECT)], order) == first
    assert len(hub.log.public().entries()) == size
    assert hub.custodian("custodian-1")._shares.epoch() == epochs


def test_a_certificate_names_the_share_the_key_and_that_no_copy_is_left(hub: HubKeys) -> None:
    known = hub.known(PROJECT)
    before = hub.custodian("custodian-1")._shares.epoch()
    request = place(hub, order_of(hub, PROJECT))
    envelope = hub.custodian("custodian-1").erase(request)
    certificate = open_certificate(envelope, roots=hub.roots, custodian="custodian-1")
    (made,) = events_on(hub, PartitionsCreated)

    assert certificate.shares == {
        known.partition_id: made.shares[known.partition_id]["custodian-1"]
    }
    assert before is not None
    assert certificate.epoch_destroyed == before[1]
    assert certificate.epoch_after != before[1]
    assert certificate.order_sha256 == envelope_digest(request.order)
    assert hub.custodian("custodian-1").erase(request) == envelope


def test_a_certificate_of_somebody_else_or_about_other_shares_does_not_count(hub: HubKeys) -> None:
    class Borrowing:
        """A custodian that hands another one's certificate over."""

        name = "custodian-2"

        def erase(self, request: ErasureRequest) -> bytes:
            return hub.custodian("custodian-1").erase(request)

    liar: list[Custodian] = [hub.custodian("custodian-1"), Borrowing()]  # type: ignore[list-item]
    report = desk(hub, liar).erase([hub.known(PROJECT)], order_of(hub, PROJECT))

    assert report.erased is None
    assert "signed by somebody else" in report.missing["custodian-2"]


def test_new_shares_of_an_erased_partition_are_not_taken_in(hub: HubKeys) -> None:
    known = hub.known(PROJECT)
    desk(hub).erase([known], order_of(hub, PROJECT))
    custodian = hub.custodian("custodian-1")
    shares = shares_for(hub, custodian, known.partition_id)

    with pytest.raises(Refused, match="for ever"):
        custodian.accept("again", shares)


@pytest.mark.parametrize("kind", ["before", "after"])
def test_a_custodian_killed_anywhere_in_an_erasure_finishes_it_when_asked_again(
    hub: HubKeys, tmp_path: Path, kind: str
) -> None:
    known = hub.known(PROJECT)
    wanted = hub.granted()
    request = place(hub, order_of(hub, PROJECT, SECRET))
    held = hub.custodian("custodian-1")._shares.held()
    gone = {known.partition_id, hub.known_any(SECRET).partition_id}
    died = 0
    for step in range(1, 60):
        folder = tmp_path / f"{kind}-{step:02d}"
        shutil.copytree(hub.root, folder)
        died += _killed(folder, step, request, kind=kind)
        copy = HubKeys(folder)
        certificate = copy.custodian("custodian-1").erase(request)

        open_certificate(certificate, roots=copy.roots, custodian="custodian-1")
        assert copy.custodian("custodian-1").erase(request) == certificate
        assert copy.custodian("custodian-1")._shares.held() == held - gone
        if died < step:
            break
    assert died > 20
    assert wanted.permit


def _killed(folder: Path, step: int, request: ErasureRequest, *, kind: str) -> bool:
    """Erase in a child that is killed at its n-th flush; whether it was killed."""
    child = os.fork()
    if child == 0:
        left, flush = step, os.fsync
        custodian = HubKeys(folder).custodian("custodian-1")

        def dying(descriptor: int) -> None:
            nonlocal left
            left -= 1
            if left == 0 and kind == "before":
                os.kill(os.getpid(), 9)
            flush(descriptor)
            if left == 0:
                os.kill(os.getpid(), 9)

        os.fsync = dying  # type: ignore[assignment]
        try:
            custodian.erase(request)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
