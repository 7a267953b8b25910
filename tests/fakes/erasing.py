"""Orders to erase, made and put on the log by hand: what the tests of erasure are tried with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fakes.hub_keys import HubKeys
from havre.application.permits import KIND_PERMIT
from havre.application.vault.erasing import KIND_ORDER, Erasures
from havre.crypto.random import new_object_id
from havre.domain.erasure import Ground, open_order
from havre.domain.erasure_check import ErasureRequest
from havre.domain.events import Event
from havre.domain.key_events import ErasureOrdered
from havre.domain.permit_states import PermitState
from havre.domain.statements import envelope_digest
from havre.ports.custody import Custodian
from havre.ports.records import Document
from havre.values import Partition

_Kind = TypeVar("_Kind", bound=Event)


def desk(hub: HubKeys, custodians: Sequence[Custodian] | None = None) -> Erasures:
    """Whoever carries orders out at this hub."""
    return Erasures(
        journal=hub.journal,
        log=hub.log.public(),
        records=hub.records,
        custodians=hub.custodians() if custodians is None else custodians,
        roots=hub.roots,
        clock=hub.log.clock,
    )


def order_of(
    hub: HubKeys,
    *partitions: Partition,
    ground: Ground = Ground.DECIDED,
    permit: str = "",
    by: Sequence[str] = ("controller",),
) -> bytes:
    """A signed order, not on the log yet."""
    return desk(hub).write_order(
        [hub.known(each) for each in partitions],
        ground=ground,
        permit=permit,
        signers=[hub.log.cast[name] for name in by],
    )


def place(hub: HubKeys, envelope: bytes) -> ErasureRequest:
    """Put any order on the log, as a hub would that does not care whether it holds."""
    signed = open_order(envelope, roots=hub.roots)
    (index,) = hub.journal.record(
        ErasureOrdered(
            event_id=new_object_id(),
            at=hub.log.clock.now(),
            order=signed.order.name,
            ground=signed.order.ground.value,
            permit=signed.order.permit,
            partitions=signed.order.partitions,
            statement_sha256=envelope_digest(envelope),
            signers=tuple(each.key_id for each in signed.opened.signers),
        ),
        documents=[Document(KIND_ORDER, envelope_digest(envelope), envelope)],
    )
    return ErasureRequest(index, envelope, {})


def granted(hub: HubKeys) -> tuple[int, bytes]:
    """A permit that is in force; returns its last entry and its text."""
    signed = hub.signed()
    index = hub.move(signed, PermitState.SUBMITTED, PermitState.ASSESSMENT, PermitState.GRANTED)
    hub.records.commit([], [Document(KIND_PERMIT, envelope_digest(signed), signed)])
    return index, signed


def events_on(hub: HubKeys, kind: type[_Kind]) -> list[_Kind]:
    """The events of one kind, as the published log has them."""
    return [each.event for each in hub.log.public().entries() if isinstance(each.event, kind)]
