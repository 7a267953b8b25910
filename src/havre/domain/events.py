"""What may stand on the public log: one frozen class for each kind of act.

Events are public. Plain in them: hashes of ciphertext and of released files,
key ids, states and dates. Anything small or guessable is a commitment
(`crypto.commitments`), counts about people or their rows are rounded to 100,
and no event exists because of one person (`docs/protocols.md`, section 1).
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar

from havre.domain.clock_events import NoticeGiven, ProjectDeleted

# The base class is taken from here by everybody; it lies apart so that kinds may too.
from havre.domain.event import Event as Event  # noqa: PLC0414
from havre.domain.key_events import (
    ErasureOrdered,
    KeysErased,
    OldSharesErased,
    PartitionsReshared,
    ResharingOrdered,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import instant_text, parse_instant, parse_object_id

# An entry bundle of the tiles layout gives a length two bytes.
MAX_ENTRY_BYTES = 65_535
COUNT_ROUNDING = 100


def rounded_count(rows: int) -> int:
    """Round a count about people to the nearest hundred, as every event does.

    >>> rounded_count(149), rounded_count(150)
    (100, 200)
    """
    return (rows + COUNT_ROUNDING // 2) // COUNT_ROUNDING * COUNT_ROUNDING


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOpened(Event):
    """The first entry: the digest of the trust roots under which the log began."""

    kind: ClassVar[str] = "HubOpened"
    origin: str
    trust_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionsCreated(Event):
    """Key pairs were made and their seeds shared out; nobody holds a seed.

    public_keys: opaque partition id to SHA-256 of its HPKE public key.
    shares: opaque partition id to the commitments of its shares, by custodian.
    """

    kind: ClassVar[str] = "PartitionsCreated"
    public_keys: dict[str, str]
    shares: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueImported(Event):
    """A folder of table schemas was read into the catalogue."""

    kind: ClassVar[str] = "CatalogueImported"
    catalogue_sha256: str
    tables: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceived(Event):
    """A holder's sealed delivery has arrived whole.

    note_commitment: of the signed delivery note, whose counts are not public.
    holder: key id (SHA-256 of the public key) of the holder who signed it.
    objects: object id to SHA-256 of the ciphertext.
    """

    kind: ClassVar[str] = "DeliveryReceived"
    delivery: str
    holder: str
    partition: str
    note_commitment: str
    objects: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChecked(Event):
    """A delivery was read line by line; counts are rounded to 100."""

    kind: ClassVar[str] = "DeliveryChecked"
    delivery: str
    outcome: str
    rows_accepted: int
    rows_set_aside: int
    report_commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPseudonymised(Event):
    """Second-stage pseudonyms were put in place of the holder's."""

    kind: ClassVar[str] = "DatasetPseudonymised"
    dataset: str
    deliveries: tuple[str, ...]
    treatments_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPublished(Event):
    """A dataset has a new version: the parent's files, less and plus what these manifests say.

    parent: index of the entry of the version before, or null for the first.
    manifests: opaque partition id to SHA-256 of the manifest's ciphertext.
    permit: the one for upkeep under which it was made; none for a delivery's version.
    rows, withdrawn: added, and no longer there (None: it withdraws nothing); rounded to 100.
    """

    kind: ClassVar[str] = "VersionPublished"
    dataset: str
    parent: int | None
    manifests: dict[str, str]
    rows: int
    permit: str | None = None
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitMoved(Event):
    """A permit changed its state (`domain.permit.NEXT`).

    permit: its short public name.
    state: the state it is in from this entry on.
    predecessor: index of the permit's entry before, or null for the first.
    statement_sha256: of the signed envelope this state rests on; its text is public.
    signers: key ids of those who signed it.
    """

    kind: ClassVar[str] = "PermitMoved"
    permit: str
    state: str
    predecessor: int | None
    statement_sha256: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRequested(Event):
    """The hub asks the custodians for shares; its entry is the request.

    permit: index of the permit's entry, or null under the mandate and in a ceremony.
    order: index of the entry of the ceremony's order, or null outside of one.
    deliveries: indexes of the `DeliveryReceived` entries a mandate cites.
    partitions: opaque partition ids, in order.
    purpose: `ingest`, `extract`, `run`, `reshare`, or a kind of upkeep.
    one_time_key_sha256: of the public key that the shares are to be sealed to.
    """

    kind: ClassVar[str] = "KeysRequested"
    permit: int | None
    order: int | None = None
    deliveries: tuple[int, ...]
    partitions: tuple[str, ...]
    purpose: str
    plan_commitment: str
    one_time_key_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysReleased(Event):
    """Enough custodians answered; the hashes of their receipts, by custodian."""

    kind: ClassVar[str] = "KeysReleased"
    request: int
    receipts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysAbandoned(Event):
    """A request that the hub did not finish; counted as released."""

    kind: ClassVar[str] = "KeysAbandoned"
    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractMade(Event):
    """A project's extract was cut to its permit and sealed to its own key.

    versions: dataset to the index of the version entry it was cut from.
    manifest_sha256: of the extract manifest's ciphertext.
    oppositions: register to the root of the version whose people were left out: the
        newest of each register. None while there is no register; empty under a
        permit whose text says why oppositions do not count.
    """

    kind: ClassVar[str] = "ExtractMade"
    permit: str
    partition: str
    versions: dict[str, int]
    plan_commitment: str
    manifest_sha256: str
    rows: int
    oppositions: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRan(Event):
    """A researcher's code ran in the sandbox on a permit's extract.

    outputs_commitment: of the unreviewed outputs' hashes; never a plain hash.
    """

    kind: ClassVar[str] = "JobRan"
    job: str
    permit: str
    extract: int
    code_sha256: str
    environment_sha256: str
    outcome: str
    outputs_commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMoved(Event):
    """A request to release outputs changed its state (`domain.release.NEXT`)."""

    kind: ClassVar[str] = "ReleaseMoved"
    request: str
    job: str
    state: str
    findings_commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCast(Event):
    """A checker has voted, blind: only the commitment stands here."""

    kind: ClassVar[str] = "VoteCast"
    request: str
    checker: str
    vote_commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputReviewed(Event):
    """All votes are in and are opened together.

    votes: checker's key id to `approve` or `return`.
    salts: checker's key id to the salt that opens the vote's commitment.
    """

    kind: ClassVar[str] = "OutputReviewed"
    request: str
    turn: int
    decision: str
    votes: dict[str, str]
    salts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputReleased(Event):
    """Files left the hub: the hashes that anyone who has them can compare.

    files: released file name to SHA-256 of its bytes.
    """

    kind: ClassVar[str] = "OutputReleased"
    request: str
    permit: str
    job: str
    files: dict[str, str]
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsListed(Event):
    """An act put objects into the store, or took some out; which, the private list says.

    act: event id of the entry of that act, which stands behind this one.
    """

    kind: ClassVar[str] = "ObjectsListed"
    act: str
    list_commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesCounted(Event):
    """How many objects each store lacks, or has otherwise than they were written.

    occasion: `write`, and then of the objects of that act; `scrub` or `repair`, of all.
    objects: how many there are in all that were counted.
    lacking: by the store's name; a store that was not reached is not in it.
    """

    kind: ClassVar[str] = "CopiesCounted"
    occasion: str
    objects: int
    lacking: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRan(Event):
    """A rehearsal ran on the real thing; `verdict` is `held` or `failed`.

    counters: public numbers of the drill, such as objects read and canaries found.
    """

    kind: ClassVar[str] = "DrillRan"
    drill: str
    verdict: str
    counters: dict[str, int]
    receipt_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Departed(Event):
    """The hub was packed to leave; the hash of the departure's manifest."""

    kind: ClassVar[str] = "Departed"
    departure: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover(Event):
    """From the next entry on, checkpoints are signed with another log key.

    log_key: the new Ed25519 public key, 64 hexadecimal characters.
    statement: the controller's signed envelope, base64, which names the key,
        the origin and the size from which it holds.
    """

    kind: ClassVar[str] = "Handover"
    log_key: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery(Handover):
    """The log's host was lost: another key goes on from here, and signs already this entry's head.

    statement: the controller's, as of a handover, of a kind of its own.
    backup_sha256: of the backup's signed manifest from which the records came.
    """

    kind: ClassVar[str] = "Recovery"
    backup_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived(Event):
    """A departure was unpacked elsewhere and its proofs of equality held."""

    kind: ClassVar[str] = "Arrived"
    departure: str
    manifest_sha256: str
    parity_sha256: str


EVENT_KINDS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        Arrived,
        CatalogueImported,
        CopiesCounted,
        DatasetPseudonymised,
        DeliveryChecked,
        DeliveryReceived,
        Departed,
        DrillRan,
        ErasureOrdered,
        ExtractMade,
        Handover,
        HubOpened,
        JobRan,
        KeysAbandoned,
        KeysErased,
        KeysReleased,
        KeysRequested,
        NoticeGiven,
        ObjectsListed,
        OldSharesErased,
        OppositionsUpdated,
        OutputReleased,
        OutputReviewed,
        PartitionsCreated,
        PartitionsReshared,
        PermitMoved,
        ProjectDeleted,
        Recovery,
        ReleaseMoved,
        ResharingOrdered,
        VersionPublished,
        VoteCast,
    )
}

_Kind = TypeVar("_Kind", bound=Event)


def encode_event(event: Event) -> bytes:
    """Write an event as the exact bytes of its log entry.

    Raises:
        InvalidInput: the entry would be longer than a log entry may be.
    """
    body: dict[str, Json] = {"kind": event.kind, "v": 1}
    for name in _field_types(event.kind):
        value = getattr(event, name)
        if value is None and name in _later_fields(event.kind):
            continue
        body[name] = instant_text(value) if isinstance(value, datetime) else _as_json(value)
    entry = encode_canonical(body)
    if len(entry) > MAX_ENTRY_BYTES:
        raise InvalidInput(
            f"An event of kind {event.kind} is longer than {MAX_ENTRY_BYTES} bytes.",
            hint="Split the act into several.",
        )
    return entry


def parse_event(entry: bytes) -> Event:
    """Read a log entry strictly: known kind, known fields, canonical spelling.

    Raises:
        InvalidInput: anything else.
    """
    body = parse_canonical(entry, limit_bytes=MAX_ENTRY_BYTES)
    if not isinstance(body, dict) or body.get("v") != 1:
        raise InvalidInput("A log entry is not an event of version 1.")
    event_type = EVENT_KINDS.get(str(body.get("kind")))
    if event_type is None:
        raise InvalidInput("A log entry is of a kind this version does not know.")
    declared = _field_types(event_type.kind)
    # A field that came later is left out where it says nothing: that is its one spelling.
    missing = {name for name in declared if body.get(name) is None} & _later_fields(event_type.kind)
    if set(body) - {"kind", "v"} != set(declared) - missing:
        raise InvalidInput(f"An event of kind {event_type.kind} has other fields than it should.")
    values: dict[str, Any] = {}
    for name, hint in declared.items():
        if name not in missing:
            values[name] = _from_json(body[name], hint)
    parse_object_id(values["event_id"])
    return event_type(**values)


def events_of(events: typing.Iterable[Event], kind: type[_Kind]) -> list[_Kind]:
    """List the events of one kind, in the order they came."""
    return [event for event in events if isinstance(event, kind)]


# Reading the hints takes longer than reading an entry, and they never change.
@cache
def _field_types(kind: str) -> dict[str, Any]:
    event_type = EVENT_KINDS[kind]
    hints = typing.get_type_hints(event_type)
    return {field.name: hints[field.name] for field in fields(event_type)}


@cache
def _later_fields(kind: str) -> frozenset[str]:
    """Fields that a kind was given after entries of it stood on logs: those without are read as before."""
    return frozenset(each.name for each in fields(EVENT_KINDS[kind]) if each.default is not MISSING)


def _as_json(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(key): _as_json(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_as_json(inner) for inner in value]
    return typing.cast("Json", value)


def _from_json(value: Json, hint: Any) -> Any:
    """Read one field by its declared type; a wrong shape is refused, never coerced."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is datetime and isinstance(value, str):
        return parse_instant(value)
    if origin is types.UnionType:
        return None if value is None else _from_json(value, arguments[0])
    if origin is tuple and isinstance(value, list):
        return tuple(_from_json(inner, arguments[0]) for inner in value)
    if origin is dict and isinstance(value, dict):
        return {key: _from_json(inner, arguments[1]) for key, inner in value.items()}
    if hint in (str, int) and type(value) is hint:
        return value
    raise InvalidInput("A field of an event has another type than it should.")
