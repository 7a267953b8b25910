"""When a custodian destroys its shares: the whole rule, over what it has verified itself.

As for opening (`domain.custody`), everything comes from the log that the
custodian followed, from signed statements, and from its own shares and clock.

Source: `docs/protocols.md`, section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from havre.domain.correcting import HELD
from havre.domain.erasure import ErasureOrder, Ground, SignedOrder, check_signers, open_order
from havre.domain.events import (
    DeliveryChecked,
    DeliveryReceived,
    Event,
    PermitMoved,
    VersionPublished,
    events_of,
)
from havre.domain.key_events import ErasureOrdered
from havre.domain.key_states import read_key_states
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.permit_signing import open_permit
from havre.domain.permit_states import PermitState, replay_permit
from havre.domain.trust import TrustRoots
from havre.domain.withdrawal import open_withdrawal
from havre.errors import NotGenuine, Refused
from havre.values import Partition

# How long rows that were set aside can still be looked into, and with them the
# delivery that they came in.
QUARANTINE_DAYS = 90
# An order that was not put on the log for so long says too little about today.
ORDER_DAYS = 30
_AHEAD = timedelta(hours=1)


class ErasureRefused(Refused):
    """A custodian keeps its shares, and says why."""


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """What the hub asks: the entry speaks, the rest is only brought along.

    index: of the `ErasureOrdered` entry.
    order: the signed order.
    documents: signed statements about a permit, by SHA-256; none is believed before
        it was compared with the log.
    """

    index: int
    order: bytes
    documents: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ErasureView:
    """What a custodian knows by itself when it is asked.

    events: the log as it followed it, from the first entry.
    partitions: opaque id to what it is, from its own shares, also those it has erased.
    """

    roots: TrustRoots
    events: Sequence[Event]
    partitions: Mapping[str, Partition]
    now: datetime


def check_erasure(request: ErasureRequest, view: ErasureView) -> SignedOrder:
    """Make sure that an order is to be obeyed, and return it.

    Raises:
        ErasureRefused: naming the one thing that is missing or amiss.
        Refused, NotGenuine: from a statement that does not hold.
    """
    entry = view.events[request.index] if 0 <= request.index < len(view.events) else None
    if not isinstance(entry, ErasureOrdered):
        raise ErasureRefused("The order to erase is not on the log.")
    if hashlib.sha256(request.order).hexdigest() != entry.statement_sha256:
        raise ErasureRefused("The order to erase is not the one that the log names.")
    signed = open_order(request.order, roots=view.roots)
    order = signed.order
    said = (entry.order, entry.ground, entry.permit, entry.partitions)
    if said != (order.name, order.ground.value, order.permit, order.partitions):
        raise NotGenuine("The order to erase says something else than its entry on the log.")
    _check_time(order, entry, request.index)
    _check_shares(order, view.events)
    unknown = [each for each in order.partitions if each not in view.partitions]
    if unknown:
        raise ErasureRefused(f"The order names {len(unknown)} partitions that have no share here.")
    partitions = [view.partitions[each] for each in order.partitions]
    check_signers(signed, partitions)
    _check_ground(order, partitions, request, view)
    return signed


def _check_time(order: ErasureOrder, entry: ErasureOrdered, index: int) -> None:
    if order.log_size > index:
        raise ErasureRefused("The order to erase was given about a longer log than this one.")
    age = entry.at - order.decided_at
    if not -_AHEAD <= age <= timedelta(days=ORDER_DAYS):
        raise ErasureRefused(
            f"The order to erase was not put on the log within {ORDER_DAYS} days.",
            hint="Have it given anew.",
        )


def _check_shares(order: ErasureOrder, events: Sequence[Event]) -> None:
    """An order is about the shares that there were: told again after new ones, it is worth nothing."""
    states = read_key_states(events)
    if unknown := [each for each in order.partitions if each not in states]:
        raise ErasureRefused(f"The order names {len(unknown)} partitions that the log never made.")
    if any(states[each].sharing.index >= order.log_size for each in order.partitions):
        raise ErasureRefused(
            "New shares were made since the order to erase was given.",
            hint="Have it given anew.",
        )


def _check_ground(
    order: ErasureOrder,
    partitions: Sequence[Partition],
    request: ErasureRequest,
    view: ErasureView,
) -> None:
    if order.ground is Ground.PERMIT_OVER:
        check_permit_over(order.permit, request.documents, view=view)
    elif order.ground is Ground.TAKEN_IN:
        for partition in order.partitions:
            _check_taken_in(partition, view)
    elif order.ground is Ground.SUPERSEDED:
        for each in partitions:
            _check_superseded(each, view)


def check_permit_over(permit: str, documents: Mapping[str, bytes], *, view: ErasureView) -> None:
    """Make sure that a permit is over: revoked by an authority, or past its last day.

    That the hub calls it expired is no argument: the day stands in the signed text.

    documents: the signed statements of its entries, by SHA-256.

    Raises:
        ErasureRefused: it is not over, or the statement that says so was not brought along.
    """
    moves = [
        (index, event)
        for index, event in enumerate(view.events)
        if isinstance(event, PermitMoved) and event.permit == permit
    ]
    if not moves:
        raise ErasureRefused(f"The log has no permit {permit}.")
    state, _, last = replay_permit(moves)
    if state is PermitState.REVOKED and last.statement_sha256 in documents:
        withdrawn = open_withdrawal(_document(last, documents), roots=view.roots)
        if (withdrawn.permit, withdrawn.state) == (permit, PermitState.REVOKED):
            return
    granted = [moved for _, moved in moves if moved.state == PermitState.GRANTED.value]
    if not granted:
        raise ErasureRefused(f"Permit {permit} was never granted.")
    signed = open_permit(_document(granted[-1], documents), roots=view.roots).permit
    if signed.name != permit or view.now.date() <= signed.ends_on:
        raise ErasureRefused(
            f"Permit {permit} is not over: it is {state.value}, and its text holds until"
            f" {signed.ends_on}.",
            hint="Only the controller can order a living project erased.",
        )


def _document(moved: PermitMoved, documents: Mapping[str, bytes]) -> bytes:
    document = documents.get(moved.statement_sha256)
    if document is None or hashlib.sha256(document).hexdigest() != moved.statement_sha256:
        raise ErasureRefused(
            f"What ends permit {moved.permit} was not brought along, or is not the log's."
        )
    return document


def _check_taken_in(partition: str, view: ErasureView) -> None:
    """A delivery is erased when its rows are in a version, and nobody can ask back any more."""
    received = [
        each for each in events_of(view.events, DeliveryReceived) if each.partition == partition
    ]
    names = {each.delivery for each in received}
    checked = [
        (index, event)
        for index, event in enumerate(view.events)
        if isinstance(event, DeliveryChecked) and event.delivery in names
    ]
    if not checked:
        raise ErasureRefused("A landing partition holds a delivery that was not taken in.")
    index, event = checked[-1]
    # A list of oppositions is in the register's version, whose entry stands behind its check.
    # What was held is in none, and its holder delivers it again.
    if event.outcome != HELD and not any(
        isinstance(each, VersionPublished | OppositionsUpdated) for each in view.events[index:]
    ):
        raise ErasureRefused("A delivery's rows are in no version yet.")
    _check_waited(event.at, view.now)


def _check_superseded(partition: Partition, view: ErasureView) -> None:
    """Rows go to the newest generation: in an older one the youngest are as old as its successor."""
    states = read_key_states(view.events)
    newer = [
        states[name].created_at
        for name, each in view.partitions.items()
        if (each.kind, each.name, each.year) == (partition.kind, partition.name, partition.year)
        and each.generation > partition.generation
        and name in states
    ]
    if not newer:
        raise ErasureRefused(f"There is no newer generation of {partition.text}.")
    _check_waited(min(newer), view.now)


def _check_waited(since: datetime, now: datetime) -> None:
    if now - since < timedelta(days=QUARANTINE_DAYS):
        raise ErasureRefused(
            f"Rows that were set aside are kept for {QUARANTINE_DAYS} days, which are not over."
        )
