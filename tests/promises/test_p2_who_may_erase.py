"""P2. Only who may can have keys erased, and only on a ground that custodians see themselves.

What is erased is gone for ever: a custodian that obeyed anybody would be a way to
destroy everything.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.erasing import desk, events_on, granted, order_of, place
from fakes.hub_keys import (
    CUSTODIANS,
    DCIR_2021,
    DCIR_2022,
    LANDING,
    PERMIT,
    PROJECT,
    SECRET,
    STAGE_2,
    HubKeys,
)
from havre.application.permits import KIND_PERMIT
from havre.crypto.random import new_object_id
from havre.domain.erasure import ErasureOrder, Ground, WrongSigner, open_order, sign_order
from havre.domain.erasure_check import ErasureRefused, ErasureRequest
from havre.domain.events import DeliveryChecked, DeliveryReceived, VersionPublished
from havre.domain.key_events import ErasureOrdered
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.errors import HavreError, NotGenuine, Refused
from havre.ports.records import Document
from havre.values import Partition


@pytest.fixture
def hub(tmp_path: Path) -> HubKeys:
    return HubKeys(tmp_path / "hub")


# Who may not order what.
WRONG_SIGNERS = {
    "a project, by the hub": ((PROJECT,), ("hub",)),
    "a project, by a researcher": ((PROJECT,), ("researcher",)),
    "a project, by an authority alone": ((PROJECT,), ("authority-1",)),
    "data, by the controller alone": ((DCIR_2021,), ("controller",)),
    "data, by two authorities": ((DCIR_2021,), ("authority-1", "authority-2")),
    "data, by the hub and an authority": ((DCIR_2021,), ("hub", "authority-1")),
    "the second secret, by the controller alone": ((STAGE_2,), ("controller",)),
    "data hidden behind a project": ((PROJECT, DCIR_2021), ("controller",)),
}


@pytest.mark.parametrize("case", WRONG_SIGNERS)
def test_an_order_by_the_wrong_role_is_refused_by_every_custodian_and_the_hub(
    hub: HubKeys, case: str
) -> None:
    partitions, signers = WRONG_SIGNERS[case]
    order = order_of(hub, *partitions, by=signers)
    with pytest.raises(WrongSigner):
        desk(hub).erase([hub.known(each) for each in partitions], order)
    assert events_on(hub, ErasureOrdered) == []
    request = place(hub, order)
    held = hub.custodian("custodian-1")._shares.held()

    for name in CUSTODIANS:
        with pytest.raises(WrongSigner):
            hub.custodian(name).erase(request)
    assert hub.custodian("custodian-1")._shares.held() == held


def test_the_controller_and_an_authority_together_erase_a_generation(hub: HubKeys) -> None:
    order = order_of(hub, DCIR_2022, by=("controller", "authority-1"))

    assert desk(hub).erase([hub.known(DCIR_2022)], order).erased is not None


def test_a_living_project_is_not_erased_by_the_hub(hub: HubKeys) -> None:
    granted(hub)
    order = order_of(hub, PROJECT, SECRET, ground=Ground.PERMIT_OVER, permit="diabetes", by=["hub"])

    with pytest.raises(ErasureRefused, match="diabetes is not over"):
        desk(hub).erase([hub.known(PROJECT), hub.known(SECRET)], order)


def test_that_the_log_calls_a_permit_expired_does_not_end_it(hub: HubKeys) -> None:
    """Nobody signs that a permit expired: a custodian reads the day in the signed text."""
    index, signed = granted(hub)
    hub.move(signed, PermitState.EXPIRED, after=index)
    order = order_of(hub, PROJECT, ground=Ground.PERMIT_OVER, permit="diabetes", by=["hub"])
    request = replace(place(hub, order), documents={envelope_digest(signed): signed})

    with pytest.raises(ErasureRefused, match="diabetes is not over"):
        hub.custodian("custodian-1").erase(request)


def test_a_project_whose_last_day_has_passed_is_erased_by_the_hub(hub: HubKeys) -> None:
    granted(hub)
    hub.log.clock.move(days=300)
    hub.journal.renew()
    order = order_of(hub, PROJECT, SECRET, ground=Ground.PERMIT_OVER, permit="diabetes", by=["hub"])

    report = desk(hub).erase([hub.known(PROJECT), hub.known(SECRET)], order)

    assert report.erased is not None
    assert PERMIT.ends_on < hub.log.clock.now().date()


def test_a_project_whose_permit_an_authority_revoked_is_erased_by_the_hub(hub: HubKeys) -> None:
    index, _ = granted(hub)
    decision = hub.decided("revoked", about=index)
    hub.move(decision, PermitState.REVOKED, after=index)
    hub.records.commit([], [Document(KIND_PERMIT, envelope_digest(decision), decision)])
    order = order_of(hub, PROJECT, ground=Ground.PERMIT_OVER, permit="diabetes", by=["hub"])

    assert desk(hub).erase([hub.known(PROJECT)], order).erased is not None


def test_an_entry_that_says_revoked_over_another_statement_ends_nothing(hub: HubKeys) -> None:
    index, signed = granted(hub)
    suspended = hub.decided("suspended", about=index)
    hub.move(suspended, PermitState.REVOKED, after=index)
    order = order_of(hub, PROJECT, ground=Ground.PERMIT_OVER, permit="diabetes", by=["hub"])
    documents = {str(envelope_digest(each)): each for each in (signed, suspended)}
    request = replace(place(hub, order), documents=documents)

    with pytest.raises(ErasureRefused, match="diabetes is not over"):
        hub.custodian("custodian-1").erase(request)


def test_the_end_of_one_permit_erases_nothing_of_another(hub: HubKeys) -> None:
    granted(hub)
    hub.log.clock.move(days=300)
    hub.journal.renew()
    hub.ceremonies().make([Partition(PROJECT.kind, "asthma")])
    order = order_of(
        hub,
        Partition(PROJECT.kind, "asthma"),
        ground=Ground.PERMIT_OVER,
        permit="diabetes",
        by=["hub"],
    )

    with pytest.raises(NotGenuine, match="another's partition"):
        hub.custodian("custodian-1").erase(place(hub, order))


def received(hub: HubKeys) -> None:
    hub.journal.record(
        DeliveryReceived(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            delivery="d1",
            holder="0" * 64,
            partition=hub.known(LANDING).partition_id,
            note_commitment="0" * 64,
            objects={},
        )
    )


def checked(hub: HubKeys, *, outcome: str) -> None:
    hub.journal.record(
        DeliveryChecked(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            delivery="d1",
            outcome=outcome,
            rows_accepted=0,
            rows_set_aside=0,
            report_commitment="0" * 64,
        )
    )


def taken_in(hub: HubKeys) -> None:
    checked(hub, outcome="accepted")
    hub.journal.record(
        VersionPublished(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            dataset="dcir",
            parent=None,
            manifests={},
            rows=0,
        ),
    )


def test_a_delivery_is_erased_once_it_was_taken_in_and_its_time_is_over(hub: HubKeys) -> None:
    received(hub)
    order = order_of(hub, LANDING, ground=Ground.TAKEN_IN, by=["hub"])
    with pytest.raises(ErasureRefused, match="not taken in"):
        desk(hub).erase([hub.known(LANDING)], order)
    taken_in(hub)
    order = order_of(hub, LANDING, ground=Ground.TAKEN_IN, by=["hub"])
    with pytest.raises(ErasureRefused, match="90 days"):
        desk(hub).erase([hub.known(LANDING)], order)
    hub.log.clock.move(days=91)
    hub.journal.renew()

    order = order_of(hub, LANDING, ground=Ground.TAKEN_IN, by=["hub"])
    assert desk(hub).erase([hub.known(LANDING)], order).erased is not None


@pytest.mark.parametrize(("outcome", "is_erased"), [("held", True), ("accepted", False)])
def test_a_delivery_that_is_in_no_version_is_erased_only_if_it_was_held(
    outcome: str, is_erased: bool, hub: HubKeys
) -> None:
    received(hub)
    checked(hub, outcome=outcome)
    hub.log.clock.move(days=91)
    hub.journal.renew()

    order = order_of(hub, LANDING, ground=Ground.TAKEN_IN, by=["hub"])
    if is_erased:
        assert desk(hub).erase([hub.known(LANDING)], order).erased is not None
    else:
        with pytest.raises(ErasureRefused, match="in no version yet"):
            desk(hub).erase([hub.known(LANDING)], order)


def test_rows_set_aside_are_erased_when_a_newer_generation_is_old_enough(hub: HubKeys) -> None:
    first = Partition(DCIR_2021.kind, "dcir-aside", 0, 1)
    hub.ceremonies().make([first])
    known = hub.known(first)
    order = order_of(hub, first, ground=Ground.SUPERSEDED, by=["hub"])
    with pytest.raises(ErasureRefused, match="no newer generation"):
        desk(hub).erase([known], order)
    hub.ceremonies().make([replace(first, generation=2)])
    order = order_of(hub, first, ground=Ground.SUPERSEDED, by=["hub"])
    with pytest.raises(ErasureRefused, match="90 days"):
        desk(hub).erase([known], order)
    hub.log.clock.move(days=91)
    hub.journal.renew()

    order = order_of(hub, first, ground=Ground.SUPERSEDED, by=["hub"])
    assert desk(hub).erase([known], order).erased is not None


def test_a_generation_of_the_lake_is_never_superseded(hub: HubKeys) -> None:
    hub.ceremonies().make([replace(DCIR_2021, generation=2)])
    hub.log.clock.move(days=400)
    hub.journal.renew()
    order = order_of(hub, DCIR_2021, ground=Ground.SUPERSEDED, by=["hub"])

    with pytest.raises(Refused, match="set aside"):
        hub.custodian("custodian-1").erase(place(hub, order))


def test_an_order_of_another_origin_is_worth_nothing_here(hub: HubKeys) -> None:
    order = ErasureOrder(
        name=new_object_id(),
        ground=Ground.DECIDED,
        permit="",
        partitions=(hub.known(PROJECT).partition_id,),
        decided_at=hub.log.clock.now(),
        log_size=1,
    )
    envelope = sign_order(
        order, origin="elsewhere.example/log", signers=[hub.log.cast["controller"]]
    )

    with pytest.raises(NotGenuine, match="another log"):
        desk(hub).erase([hub.known(PROJECT)], envelope)


def test_an_order_by_a_stranger_is_not_genuine(hub: HubKeys, tmp_path: Path) -> None:
    stranger = HubKeys(tmp_path / "other").tokens["custodian-1"]
    order = desk(hub).write_order([hub.known(PROJECT)], ground=Ground.DECIDED, signers=[stranger])

    with pytest.raises(NotGenuine, match="not in the trust roots"):
        desk(hub).erase([hub.known(PROJECT)], order)


def test_an_order_that_waited_too_long_is_given_anew(hub: HubKeys) -> None:
    order = order_of(hub, PROJECT)
    hub.log.clock.move(days=31)
    hub.journal.renew()

    with pytest.raises(ErasureRefused, match="within 30 days"):
        desk(hub).erase([hub.known(PROJECT)], order)


def test_an_order_that_is_not_on_the_log_or_is_another_one_erases_nothing(hub: HubKeys) -> None:
    order, other = order_of(hub, PROJECT), order_of(hub, SECRET)
    request = place(hub, order)
    custodian = hub.custodian("custodian-1")

    for wrong in (
        replace(request, index=0),
        replace(request, index=request.index + 1),
        replace(request, index=-1),
        replace(request, order=other),
        replace(request, order=b"{}"),
    ):
        with pytest.raises(HavreError):
            custodian.erase(wrong)
    assert hub.known_any(PROJECT).partition_id in custodian._shares.held()


def test_an_entry_that_says_more_than_the_signed_order_erases_nothing(hub: HubKeys) -> None:
    order = order_of(hub, PROJECT)
    signed = open_order(order, roots=hub.roots)
    both = tuple(sorted([*signed.order.partitions, hub.known(STAGE_2).partition_id]))
    (index,) = hub.journal.record(
        ErasureOrdered(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            order=signed.order.name,
            ground=signed.order.ground.value,
            permit="",
            partitions=both,
            statement_sha256=envelope_digest(order),
            signers=(),
        )
    )

    with pytest.raises(NotGenuine, match="something else"):
        hub.custodian("custodian-1").erase(ErasureRequest(index, order, {}))


def test_an_order_about_partitions_that_nobody_made_is_refused(hub: HubKeys) -> None:
    order = ErasureOrder(
        name=new_object_id(),
        ground=Ground.DECIDED,
        permit="",
        partitions=("0" * 32,),
        decided_at=hub.log.clock.now(),
        log_size=1,
    )
    envelope = sign_order(order, origin=hub.roots.origin, signers=[hub.log.cast["controller"]])

    with pytest.raises(ErasureRefused, match="never made"):
        hub.custodian("custodian-1").erase(place(hub, envelope))
