"""What every custodian promises (`ports.custody`).

An adapter's test imports `*` from here and gives a fixture `hub`: a hub after
its ceremony, whose `custodian(name)` opens the adapter anew.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.erasing import order_of, place
from fakes.hub_keys import DCIR_2021, PROJECT, SECRET, HubKeys
from havre.adapters.keyroom.process import ProcessKeyRoom
from havre.crypto.sealing import PartitionKey
from havre.domain.certificates import open_certificate
from havre.domain.counter import check_chain, open_counter
from havre.domain.erasure import WrongSigner
from havre.domain.receipt import check_receipt, open_receipt
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, NotGenuine, Refused
from havre.ports.custody import Custodian, SealedShares
from havre.ports.keyroom import PartitionToMake, Recipient


def shares_for(hub: HubKeys, custodian: Custodian, partition_id: str) -> SealedShares:
    """What a ceremony `again` has for a custodian, who takes part in it: one new share."""
    recipients = [
        Recipient(name, PartitionKey.generate().public) for name in ("stranger-1", "stranger-2")
    ]
    made = ProcessKeyRoom().make(
        [PartitionToMake(partition_id, DCIR_2021.text)],
        recipients=[
            Recipient(custodian.name, custodian.begin_ceremony("again")),
            *recipients,
        ],
        threshold=2,
        origin=hub.roots.origin,
        ceremony="again",
    )
    return next(each for each in made.sealed if each.custodian == custodian.name)


def test_a_ceremony_is_begun_once(hub: HubKeys) -> None:
    hub.custodian("custodian-1").begin_ceremony("again")

    with pytest.raises(Refused, match="begun"):
        hub.custodian("custodian-1").begin_ceremony("again")


def test_a_ceremony_that_is_over_takes_no_more_shares(hub: HubKeys) -> None:
    with pytest.raises(HavreError, match="over"):
        hub.custodian("custodian-1").accept("never-begun", SealedShares("custodian-1", b""))


def test_shares_of_new_partitions_are_taken(hub: HubKeys) -> None:
    custodian, partition = hub.custodian("custodian-1"), "a" * 32
    shares = shares_for(hub, custodian, partition)

    assert list(custodian.accept("again", shares)) == [partition]


def test_a_second_ceremony_does_not_replace_the_share_of_a_living_partition(hub: HubKeys) -> None:
    known = hub.known(DCIR_2021)
    for name in ("custodian-1", "custodian-2"):
        custodian = hub.custodian(name)
        shares = shares_for(hub, custodian, known.partition_id)
        with pytest.raises(Refused, match="holds another share of 1"):
            custodian.accept("again", shares)

    with hub.release().open(hub.granted()):
        pass


def test_the_same_entry_asked_again_gets_the_same_bytes(hub: HubKeys) -> None:
    request = hub.asked(PartitionKey.generate().public)

    answers = [hub.custodian("custodian-1").release(request) for _ in range(2)]

    assert answers[0] == answers[1]


def test_an_answer_has_every_partition_and_a_receipt_for_exactly_them(hub: HubKeys) -> None:
    wanted = hub.granted()
    request = hub.asked(PartitionKey.generate().public, wanted=wanted)
    answer = hub.custodian("custodian-1").release(request)
    asked = {known.partition_id for known in wanted.partitions}

    assert set(answer.shares) == asked
    check_receipt(
        answer.receipt,
        roots=hub.roots,
        custodian="custodian-1",
        request=request.index,
        partitions=asked,
    )


def test_each_receipt_names_the_one_before(hub: HubKeys) -> None:
    wanted = hub.granted()
    receipts = [
        hub.custodian("custodian-1")
        .release(hub.asked(PartitionKey.generate().public, wanted=wanted))
        .receipt
        for _ in range(3)
    ]
    opened = [open_receipt(each, roots=hub.roots, custodian="custodian-1") for each in receipts]

    assert [each.answers_before for each in opened] == [0, 1, 2]
    assert [each.previous for each in opened] == ["", *map(envelope_digest, receipts[:2])]


@pytest.mark.parametrize("index", [-1, 0, 999])
def test_what_is_no_request_on_the_log_is_refused(hub: HubKeys, index: int) -> None:
    request = hub.asked(PartitionKey.generate().public)

    with pytest.raises(Refused):
        hub.custodian("custodian-1").release(replace(request, index=index))


def test_a_decision_by_nobody_of_these_roots_withdraws_nothing(hub: HubKeys) -> None:
    wanted = hub.granted()
    decision = hub.decided("revoked", about=wanted.permit, by="researcher")

    with pytest.raises((NotGenuine, Refused)):
        hub.custodian("custodian-1").revoke(decision)


def test_a_decision_that_withdraws_nothing_is_refused(hub: HubKeys) -> None:
    with pytest.raises(Refused, match="withdraws nothing"):
        hub.custodian("custodian-1").revoke(hub.decided("granted", about=1))


def test_an_order_on_the_log_is_answered_by_one_certificate_for_ever(hub: HubKeys) -> None:
    order = place(hub, order_of(hub, PROJECT))
    known = hub.known_any(PROJECT).partition_id
    first = hub.custodian("custodian-1").erase(order)
    certificate = open_certificate(first, roots=hub.roots, custodian="custodian-1")

    assert hub.custodian("custodian-1").erase(order) == first
    assert list(certificate.shares) == [known]


def test_a_share_that_was_destroyed_is_refused_by_name(hub: HubKeys) -> None:
    wanted = hub.granted()
    request = hub.asked(PartitionKey.generate().public, wanted=wanted)
    hub.custodian("custodian-1").release(request)
    hub.custodian("custodian-1").erase(place(hub, order_of(hub, SECRET)))

    with pytest.raises(Refused, match="custodian-1 has erased"):
        hub.custodian("custodian-1").release(request)


def test_an_order_by_nobody_who_may_destroys_nothing(hub: HubKeys) -> None:
    order = place(hub, order_of(hub, DCIR_2021, by=["controller"]))

    with pytest.raises(WrongSigner):
        hub.custodian("custodian-1").erase(order)


@pytest.mark.parametrize("index", [-1, 0, 999])
def test_what_is_no_order_on_the_log_destroys_nothing(hub: HubKeys, index: int) -> None:
    order = place(hub, order_of(hub, PROJECT))

    with pytest.raises(Refused):
        hub.custodian("custodian-1").erase(replace(order, index=index))


def test_a_counter_is_a_chain_of_what_was_given_under_a_signed_head(hub: HubKeys) -> None:
    wanted = hub.granted()
    custodian = hub.custodian("custodian-1")
    empty = custodian.counter(0)
    given = [
        custodian.release(hub.asked(PartitionKey.generate().public, wanted=wanted)).receipt
        for _ in range(3)
    ]

    page = hub.custodian("custodian-1").counter(0)
    head = open_counter(page.head, roots=hub.roots, custodian="custodian-1")

    assert (list(empty.receipts), list(page.receipts)) == ([], given)
    assert list(check_chain(page.receipts, head=head, roots=hub.roots)) == [
        envelope_digest(each) for each in given
    ]
    assert list(custodian.counter(2).receipts) == given[2:]
    assert list(custodian.counter(3).receipts) == []


def test_what_an_authority_brought_is_told_to_whoever_asks(hub: HubKeys) -> None:
    decision = hub.decided("suspended", about=hub.granted().permit)
    hub.custodian("custodian-1").revoke(decision)

    assert list(hub.custodian("custodian-1").withdrawals()) == [decision]
