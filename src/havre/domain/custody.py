"""When a custodian opens its share: the whole rule, over what it has verified itself.

Everything here comes from the log that the custodian followed, from statements
whose signatures it checked against its own roots, and from its own clock. What
the hub says about a permit's state is not an argument.

Source: `docs/protocols.md`, section 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from havre.crypto.commitments import check_opening
from havre.domain.correcting import check_opened_again, find_received
from havre.domain.delivery_note import PREDICATE_DELIVERY_NOTE, parse_corrects
from havre.domain.events import (
    DeliveryChecked,
    DeliveryReceived,
    Event,
    KeysAbandoned,
    KeysReleased,
    KeysRequested,
    PermitMoved,
    VersionPublished,
    events_of,
)
from havre.domain.key_events import ErasureOrdered, ResharingOrdered
from havre.domain.key_states import list_to_reshare
from havre.domain.permit import Permit, project_secret
from havre.domain.permit_signing import check_ground, open_permit
from havre.domain.permit_states import PermitState, check_in_force, replay_permit
from havre.domain.resharing import CEREMONY_DAYS, check_ceremony
from havre.domain.statements import Opened, open_statement
from havre.domain.succession import trust_digest
from havre.domain.trust import Role, TrustRoots
from havre.domain.upkeep import STAGE_2_SECRET, UpkeepKind, check_unused
from havre.errors import InvalidInput, NotGenuine, Refused
from havre.values import Partition, PartitionKind, parse_instant

PREDICATE_MANDATE = "havre/v1/ingestion-mandate"
NOTE_LABEL = "havre/v1/delivery-note"
MANDATE_DAYS = 90
# How far the hub's clock, in the entry that asks, may lie from the custodian's own:
# what is counted by the day would otherwise be counted by the hub's word.
REQUEST_AGE = timedelta(minutes=15)
REQUEST_AHEAD = timedelta(minutes=2)
# How often in a day a delivery may be opened, when the hub died in between.
MANDATE_OPENINGS = 3
_A_DAY = timedelta(days=1)


class ReleaseRefused(Refused):
    """A custodian keeps its share closed, and says why."""


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """What the hub asks: the entry speaks, the rest is only brought along.

    index: of the `KeysRequested` entry.
    one_time_key: the HPKE public key that the entry names by its hash.
    documents: envelopes that the log names by hash or commitment, by SHA-256;
        the custodian believes none before it has compared them.
    salts: openings of the delivery notes' commitments, by index of the delivery's entry.
    """

    index: int
    one_time_key: bytes
    documents: Mapping[str, bytes]
    salts: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class CustodianView:
    """What a custodian knows by itself when it is asked.

    events: the log as it followed it, from the first entry.
    partitions: opaque id to what it is, from the envelopes of its own shares.
    revoked: permits that an authority has revoked or suspended directly.
    mandate: the controller's signed mandate for ingestion, or null.
    attended: SHA-256 of the orders for ceremonies that its own people have looked at.
    """

    roots: TrustRoots
    events: Sequence[Event]
    partitions: Mapping[str, Partition]
    revoked: frozenset[str]
    mandate: bytes | None
    now: datetime
    attended: frozenset[str] = frozenset()


def check_release(request: ShareRequest, view: CustodianView) -> KeysRequested:
    """Make sure that a request may be answered, and return its entry.

    Raises:
        ReleaseRefused: naming the one thing that is missing or amiss.
        Refused, NotGenuine: from a statement that does not hold.
    """
    if not 0 <= request.index < len(view.events):
        raise ReleaseRefused("The request is not on the log.")
    entry = view.events[request.index]
    if not isinstance(entry, KeysRequested):
        raise ReleaseRefused("The entry that is named is no request for keys.")
    if hashlib.sha256(request.one_time_key).hexdigest() != entry.one_time_key_sha256:
        raise ReleaseRefused("The one-time key is not the one that the entry names.")
    if not -REQUEST_AHEAD <= view.now - entry.at <= REQUEST_AGE:
        raise ReleaseRefused("The request's time is not that of this custodian's clock.")
    _check_living(entry, view)
    unknown = [each for each in entry.partitions if each not in view.partitions]
    if unknown or not entry.partitions:
        raise ReleaseRefused(
            f"The request names {len(unknown)} partitions that have no share here."
        )
    partitions = [view.partitions[each] for each in entry.partitions]
    if entry.order is not None:
        _check_ceremony(request, entry, view)
    elif entry.permit is None:
        _check_mandate(request, entry, view, partitions)
    else:
        _check_permit(request, entry, view, partitions)
    return entry


def _check_living(entry: KeysRequested, view: CustodianView) -> None:
    """From the order to erase it on, a partition is opened on no ground whatever."""
    ordered = {
        each for order in events_of(view.events, ErasureOrdered) for each in order.partitions
    }
    if erased := len(ordered & set(entry.partitions)):
        raise ReleaseRefused(f"{erased} of the partitions are erased, or ordered to be.")


# What may be opened for which purpose, by the kind of partition.
_PURPOSES: dict[str, frozenset[PartitionKind]] = {
    "extract": frozenset({PartitionKind.DATASET, PartitionKind.SECRET}),
    "run": frozenset({PartitionKind.PROJECT}),
    UpkeepKind.COMPACT.value: frozenset({PartitionKind.DATASET}),
    UpkeepKind.QUARANTINE.value: frozenset({PartitionKind.DATASET, PartitionKind.SECRET}),
}


def _check_permit(
    request: ShareRequest,
    entry: KeysRequested,
    view: CustodianView,
    partitions: Sequence[Partition],
) -> None:
    """The permit is signed, logged, in force, and reaches every partition asked."""
    kinds = _PURPOSES.get(entry.purpose)
    if kinds is None:
        raise ReleaseRefused(
            "A permit opens keys for an extract or a run, or for upkeep, and for nothing else."
        )
    moves, state = _moves(entry.permit, view)
    last = moves[-1][1]
    if last.permit in view.revoked:
        raise ReleaseRefused(f"An authority has withdrawn permit {last.permit} directly.")
    envelope = _document(request, last.statement_sha256)
    if state is not PermitState.GRANTED:
        raise ReleaseRefused(f"Permit {last.permit} is {state.value}.")
    signed = open_permit(envelope, roots=view.roots)
    permit = signed.permit
    if permit.name != last.permit:
        raise ReleaseRefused("The signed permit is another one than the log's entry names.")
    check_ground(signed.ground, moves)
    check_in_force(permit, state=state, decided_at=signed.ground.decided_at, now=view.now)
    _check_purpose(permit, request, entry, view)
    for partition in partitions:
        if partition.kind not in kinds:
            raise ReleaseRefused(f"A {entry.purpose} opens no {partition.kind.value} partition.")
        permit.covers(partition)


def _check_purpose(
    permit: Permit, request: ShareRequest, entry: KeysRequested, view: CustodianView
) -> None:
    """A project's permit opens nothing for upkeep, one for upkeep its own kind, and that once."""
    upkeep = permit.upkeep
    if upkeep is None:
        if entry.purpose in [*UpkeepKind]:
            raise ReleaseRefused(f"Permit {permit.name} is a project's, and opens no upkeep.")
        return
    if entry.purpose != upkeep:
        raise ReleaseRefused(
            f"Permit {permit.name} is for upkeep: {upkeep.value}, and opens nothing else."
        )
    check_upkeep_unused(permit.name, view.events[: request.index])


def check_upkeep_unused(permit: str, events: Sequence[Event]) -> None:
    """Make sure that a permit for upkeep may be opened once more.

    events: the log before the request that would open it.

    Raises:
        UpkeepUsed: a version was made under it, it is being opened, or it was often enough.
    """
    moves = {
        index
        for index, event in enumerate(events)
        if isinstance(event, PermitMoved) and event.permit == permit
    }
    closed = {each.request for each in events if isinstance(each, KeysReleased | KeysAbandoned)}
    check_unused(
        permit,
        openings=[
            index in closed
            for index, event in enumerate(events)
            if isinstance(event, KeysRequested) and event.permit in moves
        ],
        has_version=any(
            isinstance(event, VersionPublished) and event.permit == permit for event in events
        ),
    )


def _moves(
    named: int | None, view: CustodianView
) -> tuple[list[tuple[int, PermitMoved]], PermitState]:
    """List the permit's entries, and refuse a request that does not rest on the last one."""
    place = -1 if named is None else named
    moved = view.events[place] if 0 <= place < len(view.events) else None
    if not isinstance(moved, PermitMoved):
        raise ReleaseRefused("The entry that is named as the permit's is none.")
    moves = [
        (index, event)
        for index, event in enumerate(view.events)
        if isinstance(event, PermitMoved) and event.permit == moved.permit
    ]
    state, index, _ = replay_permit(moves)
    if index != named:
        raise ReleaseRefused("The request does not rest on the permit's last entry.")
    return moves, state


def _check_ceremony(request: ShareRequest, entry: KeysRequested, view: CustodianView) -> None:
    """A ceremony that two houses ordered and people here attend takes the shares to others."""
    if entry.purpose != "reshare" or entry.permit is not None or entry.deliveries:
        raise ReleaseRefused("A ceremony's order opens keys for new shares, and for nothing else.")
    index = -1 if entry.order is None else entry.order
    named = view.events[index] if 0 <= index < request.index else None
    sha256 = named.statement_sha256 if isinstance(named, ResharingOrdered) else ""
    envelope = request.documents.get(sha256, b"")
    signed = check_ceremony(index, envelope, events=view.events, roots=view.roots)
    if trust_digest(view.roots) not in (signed.order.previous_sha256, signed.order.trust_sha256):
        raise ReleaseRefused(
            "The ceremony's order rests on other trust roots than these.",
            hint="Its operator takes the newer ones over first: `havre keys adopt`.",
        )
    if signed.sha256 not in view.attended:
        raise ReleaseRefused(
            "Nobody here has looked at the ceremony's order.",
            hint="Its operator must: `havre keys attend`.",
        )
    if view.now - signed.order.decided_at > timedelta(days=CEREMONY_DAYS):
        raise ReleaseRefused("The ceremony's order is too old.", hint="Have it given anew.")
    left = list_to_reshare(view.events, log_size=signed.order.log_size)
    if beyond := len(set(entry.partitions) - set(left)):
        raise ReleaseRefused(
            f"The ceremony's order is not, or no longer, about {beyond} of the partitions."
        )


def _check_mandate(
    request: ShareRequest,
    entry: KeysRequested,
    view: CustodianView,
    partitions: Sequence[Partition],
) -> None:
    """Ingestion runs under a standing mandate: a signed delivery each time, taken in once."""
    if entry.purpose != "ingest":
        raise ReleaseRefused("Without a permit, keys are opened for ingestion only.")
    if not entry.deliveries or len(set(entry.deliveries)) != len(entry.deliveries):
        raise ReleaseRefused(
            "A request under the mandate names each delivery once, and at least one."
        )
    mandate = _open_mandate(view)
    allowed = {Partition(PartitionKind.SECRET, STAGE_2_SECRET)}
    for index in entry.deliveries:
        _check_not_taken_in(index, request, view)
        partition, note = _check_delivery(request, index, view, mandate)
        allowed.add(partition)
        corrects = parse_corrects(note.statement.predicate)
        if corrects is not None:
            allowed |= _check_corrected(request, entry, view, by=index, correction=note)
    if any(partition not in allowed for partition in partitions):
        raise ReleaseRefused(
            "The mandate opens the deliveries it names and the second secret only."
        )


def open_mandate(envelope: bytes, *, roots: TrustRoots) -> tuple[Opened, datetime]:
    """Make sure that the controller signed a mandate for ingestion, and tell when it begins.

    Raises:
        Refused, NotGenuine, InvalidInput: it is none.
    """
    mandate = open_statement(
        envelope,
        roots=roots,
        predicate_type=PREDICATE_MANDATE,
        origin=roots.origin,
        required={Role.CONTROLLER: 1},
    )
    return mandate, parse_instant(str(mandate.statement.predicate.get("begins_at")))


def _open_mandate(view: CustodianView) -> Opened:
    if view.mandate is None:
        raise ReleaseRefused("This custodian has no mandate for ingestion.")
    mandate, begun = open_mandate(view.mandate, roots=view.roots)
    body = mandate.statement.predicate
    if not begun <= view.now < begun + timedelta(days=MANDATE_DAYS):
        raise ReleaseRefused("The mandate for ingestion has ended, or has not begun.")
    releases = sum(
        isinstance(event, KeysRequested) and event.permit is None and view.now - event.at < _A_DAY
        for event in view.events
    )
    if releases > int(str(body["daily_releases"])):
        raise ReleaseRefused("The mandate's daily number of releases is used up.")
    return mandate


def _check_delivery(
    request: ShareRequest, index: int, view: CustodianView, mandate: Opened
) -> tuple[Partition, Opened]:
    """Make sure that a holder signed a delivery; return the partition it may open, and the note."""
    received = view.events[index] if 0 <= index < request.index else None
    if not isinstance(received, DeliveryReceived):
        raise ReleaseRefused("The entry that is named as a delivery's is none.")
    opened = _opened_note(request, index, received, view)
    _check_first(index, received, view)
    datasets = mandate.statement.predicate.get("datasets")
    if not isinstance(datasets, list) or opened.statement.predicate.get("dataset") not in datasets:
        raise ReleaseRefused("The mandate does not name this delivery's dataset.")
    return _landing_of(received, view), opened


def _landing_of(received: DeliveryReceived, view: CustodianView) -> Partition:
    partition = view.partitions.get(received.partition)
    if partition is None or partition.kind is not PartitionKind.LANDING:
        raise ReleaseRefused("A delivery names no landing partition of this custodian.")
    return partition


def _opened_note(
    request: ShareRequest, index: int, received: DeliveryReceived, view: CustodianView
) -> Opened:
    """Make sure that the holder whom the log names signed a note about this delivery."""
    opened = open_statement(
        _note_of(request, index, received),
        roots=view.roots,
        predicate_type=PREDICATE_DELIVERY_NOTE,
        origin=view.roots.origin,
        required={Role.HOLDER: 1},
    )
    said = (opened.statement.subject, opened.statement.predicate.get("landing"))
    if said != (received.delivery, received.partition):
        raise ReleaseRefused("A delivery's note is about another delivery or landing partition.")
    if received.holder not in {signer.key_id for signer in opened.signers}:
        raise ReleaseRefused("A delivery's note is signed by another holder than the log says.")
    return opened


def _check_corrected(
    request: ShareRequest,
    entry: KeysRequested,
    view: CustodianView,
    *,
    by: int,
    correction: Opened,
) -> set[Partition]:
    """What a signed correction opens besides: the landing partition of what it corrects, if it is asked.

    So that the hub can say which rows changed: for this correction, and for no other.
    """
    found = find_received(
        view.events[: request.index], str(correction.statement.predicate["corrects"])
    )
    if found is None or found[1].partition not in entry.partitions:
        return set()
    index, corrected = found
    try:
        check_opened_again(view.events[: request.index], index, by=by)
    except Refused as refusal:
        raise ReleaseRefused(refusal.message) from None
    _check_first(index, corrected, view)
    note = _opened_note(request, index, corrected, view)
    if note.statement.predicate.get("dataset") != correction.statement.predicate.get("dataset"):
        raise ReleaseRefused("A correction is of another dataset than what it corrects.")
    return {_landing_of(corrected, view)}


def _check_not_taken_in(index: int, request: ShareRequest, view: CustodianView) -> None:
    """A delivery is opened again only after a hub that died, and never once it was taken in.

    What a second opening shows is what the first one showed; that it happened
    stays on the log.
    """
    earlier = view.events[: request.index]
    received = earlier[index] if 0 <= index < len(earlier) else None
    delivery = received.delivery if isinstance(received, DeliveryReceived) else ""
    if any(isinstance(e, DeliveryChecked) and e.delivery == delivery for e in earlier):
        raise ReleaseRefused("A delivery was taken in under the mandate before.")
    closed = {e.request for e in earlier if isinstance(e, KeysReleased | KeysAbandoned)}
    if any(place not in closed for place, _ in _openings(earlier, index)):
        raise ReleaseRefused("A delivery is being opened under the mandate already.")
    check_openings(earlier, index, now=view.now)


def check_openings(events: Sequence[Event], index: int, *, now: datetime) -> None:
    """Refuse to open a delivery again today that was opened often enough.

    events: the log before the request that would open it.
    index: of the delivery's entry.

    Raises:
        ReleaseRefused: saying when it may be tried again.
    """
    if sum(now - event.at < _A_DAY for _, event in _openings(events, index)) >= MANDATE_OPENINGS:
        raise ReleaseRefused(
            f"A delivery was opened {MANDATE_OPENINGS} times today, and not taken in.",
            hint="Find out why it was not taken in; it may be opened again tomorrow.",
        )


def _openings(events: Sequence[Event], index: int) -> Iterator[tuple[int, KeysRequested]]:
    for place, event in enumerate(events):
        if isinstance(event, KeysRequested) and index in event.deliveries:
            yield place, event


def _check_first(index: int, received: DeliveryReceived, view: CustodianView) -> None:
    """One note, one landing partition, one opening: a second entry of either opens nothing."""
    earlier = [event for event in view.events[:index] if isinstance(event, DeliveryReceived)]
    if any(
        event.delivery == received.delivery or event.partition == received.partition
        for event in earlier
    ):
        raise ReleaseRefused("A delivery or its landing partition stands on the log before.")


def _note_of(request: ShareRequest, index: int, received: DeliveryReceived) -> bytes:
    salt = request.salts.get(index)
    for document in request.documents.values():
        if salt is None:
            break
        try:
            check_opening(received.note_commitment, document, label=NOTE_LABEL, salt=salt)
        except (NotGenuine, ValueError):
            continue
        return document
    raise ReleaseRefused("A delivery's note was not brought along, or is not the one on the log.")


def _document(request: ShareRequest, sha256: str) -> bytes:
    document = request.documents.get(sha256)
    if document is None or hashlib.sha256(document).hexdigest() != sha256:
        raise ReleaseRefused("The signed permit was not brought along, or is not the log's.")
    return document


def partitions_of_purpose(purpose: str, *, project: str) -> tuple[Partition, ...]:
    """Name the partitions of its own that a project needs opened for a purpose.

    Raises:
        InvalidInput: there is no such purpose.

    >>> [each.text for each in partitions_of_purpose("run", project="diabetes")]
    ['project/diabetes/1']
    """
    if purpose == "extract":
        return (Partition(PartitionKind.SECRET, project_secret(project)),)
    if purpose == "run":
        return (Partition(PartitionKind.PROJECT, project),)
    raise InvalidInput("Keys of a project are opened for an extract or a run.")
